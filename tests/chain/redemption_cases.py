"""Of `tests.chain.cases`: what compliance does with redemptions, and tokens that go back to another account."""

from __future__ import annotations

from tests.chain.cases import (
    ADMIN,
    ASSET,
    CLIENT,
    CUSTODIAN,
    DESTINATION,
    KEY,
    MINT,
    OPERATOR,
    REDEMPTION,
    WALLET,
    Case,
)
from xstocks_daemon.chain import addresses as known


def redemption_cases() -> list[Case]:
    a, config = CLIENT.addresses, CLIENT.addresses.config
    waiting = (REDEMPTION, a.redemption_authority(MINT), a.redemption_vault(MINT))
    recovery, participant = a.recovery(REDEMPTION), a.participant(WALLET)
    back = {"mint": MINT, "redemption": REDEMPTION, "destination": DESTINATION}
    return [
        Case(
            "accept_redemption",
            CLIENT.accept_redemption(attester=KEY, custodian=CUSTODIAN, mint=MINT, redemption=REDEMPTION),
            {},
            (KEY, config, CUSTODIAN, ASSET, REDEMPTION),
        ),
        Case(
            "reject_redemption",
            CLIENT.reject_redemption(operator=OPERATOR, participant_wallet=WALLET, **back),
            {},
            (OPERATOR, config, ASSET, MINT, *waiting, DESTINATION, known.TOKEN_2022, participant),
        ),
        Case(
            "hold_redemption",
            CLIENT.hold_redemption(compliance=KEY, redemption=REDEMPTION),
            {},
            (KEY, config, REDEMPTION),
        ),
        Case(
            "clear_redemption_hold",
            CLIENT.clear_redemption_hold(authority=KEY, redemption=REDEMPTION),
            {},
            (KEY, config, REDEMPTION, recovery, None),
        ),
        Case(
            "clear_redemption_hold",
            CLIENT.clear_redemption_hold(authority=ADMIN, redemption=REDEMPTION, resumer=KEY),
            {},
            (ADMIN, config, REDEMPTION, recovery, KEY),
        ),
        Case(
            "announce_redemption_recovery",
            CLIENT.announce_redemption_recovery(compliance=KEY, delay_secs=86_400, **back),
            {"delay_secs": 86_400},
            (KEY, config, ASSET, MINT, REDEMPTION, DESTINATION, recovery, known.SYSTEM),
        ),
        Case(
            "execute_redemption_recovery",
            CLIENT.execute_redemption_recovery(compliance=KEY, admin=ADMIN, **back),
            {},
            (KEY, ADMIN, config, ASSET, MINT, *waiting, DESTINATION, recovery, known.TOKEN_2022),
        ),
    ]
