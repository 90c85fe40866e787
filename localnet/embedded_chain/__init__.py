"""The embedded chain: LiteSVM behind the JSON-RPC and websocket of a Solana validator.

It executes transactions with the real programs and the real runtime, but there is no network, no vote and
no ledger on disk: slots, commitment and history are simulated. It is a tool for developers and tests.
"""
