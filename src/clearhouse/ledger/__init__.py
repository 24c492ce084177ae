"""The ledger's engine: a Merkle log as in RFC 6962, so that anyone's verifier can check ours.

``tree``   hashes, roots, inclusion and consistency proofs, and their checks
``tiles``  the tree cut into files that are served as they are (C2SP tlog-tiles)
``checkpoint``, ``note``  what the log says of itself, and signs (C2SP tlog-checkpoint, signed-note)
``entry``   one decision, and the bytes of it that are hashed
``receipt`` an entry with all that shows that it is in the log, and the check of it
``verify``  a stored log computed again, and what is wrong with it

Nothing here stores anything: hashes are read through a function that the caller brings.
"""
