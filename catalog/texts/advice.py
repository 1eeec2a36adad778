"""What to do next, where many problems say the same."""

from typing import Final

ASK_PEER_FR: Final = "N'utilisez pas ce document ; prévenez l'institution qui le publie."
ASK_PEER_EN: Final = "Do not use this document; tell the institution that publishes it."
SIGN_FR: Final = "Corrigez cette valeur, puis recommencez : rien n'a été signé."
SIGN_EN: Final = "Correct this value, then try again: nothing was signed."
