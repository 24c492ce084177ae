"""The part of the proof engine that runs inside the sandbox.

Standard library only: this folder is bound read-only into the sandbox and started by an isolated
interpreter that knows no site-packages.  Four kinds of process live there:

``warden``   the first one.  Holds capabilities of the sandbox's own user namespace, runs no code of
             anybody else, traces all others (ptrace), and is the only one that talks to the engine.
``zygote``   one for each sandbox.  Has no capabilities; imports the target once, then forks.
``init``     process 1 of a run's own namespaces; holds them open, reaps.
``run``      executes one harness on one input, without capabilities, under the strict filter.

The warden believes nothing that ``run`` says about itself unless the kernel shows it as well; what
each observation is worth is written down in docs/proof-trust.md.
"""
