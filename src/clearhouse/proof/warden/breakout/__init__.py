"""Attempts to break out, made inside the sandbox by ``clearhouse sandbox check``.

``attempt``   what an attempt is, and how one is made and timed
``network``   reaching anything that is not in the sandbox
``files``     reading and changing what belongs to the host
``processes`` seeing, tracing and signalling others; getting more than one was given
``calls``     asking the kernel for what nobody in a sandbox needs
``bombs``     using up what the host has, and leaving something behind; each needs a run of its own

Nothing here does harm where it succeeds: it shows that it could have.
"""
