"""CSAF 2.0 (OASIS Standard with Errata 01): advisories and VEX out, their tests, and a provider.

``writer`` makes documents, ``mandatory`` tests anybody's, ``provider`` lays them out for a web
server.  All three are pure: values in, values or bytes out.
"""
