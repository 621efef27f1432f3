"""What the made-up mails are made of: people, subjects, reasons, files."""
# ruff: noqa: RUF001 - other scripts, dashes and direction marks are in the texts on purpose

from __future__ import annotations

FIRST_NAMES = (
    "Ada", "Benoît", "Chiara", "Dmitri", "Elif", "Fatima", "Grace", "Hiroshi", "Inés", "Jonas", "Kofi", "Léa",
    "Marek", "Ngozi", "Oskar", "Priya", "Quentin", "Rania", "Søren", "Tomás", "Uma", "Viktor", "Wei", "Yael",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Bergström", "Castillo", "Dubois", "Eriksen", "Fischer", "Grünwald", "Haddad", "Ivanova", "Jansen",
    "Kowalski", "Lindqvist", "Müller", "Novak", "O'Brien", "Papadakis", "Rossi", "Sato", "Tanaka", "Weber",
)  # fmt: skip
OUTSIDE_DOMAINS = (
    "supplier.example", "parcel-tracking.example", "billing-portal.example", "news.example", "partner-bank.example",
    "conference.example", "recruiting.example", "cloud-drive.example", "münchen-handel.example",
)  # fmt: skip

ORDINARY_SUBJECTS = (
    "Invoice {number} for your records",
    "Minutes of Tuesday's meeting",
    "Re: Re: Fwd: Contract draft, version {number}",
    "Your parcel {number} is on its way",
    "Lunch on Thursday?",
    "Quarterly figures, region north, unaudited",
    'Please review "Budget {number}"',
    "Conference programme and travel",
    "Angebot Nr. {number} für Büromöbel",
    "Предложение о сотрудничестве № {number}",
    "お見積り書の件（{number}）",
    "عرض سعر رقم {number}",
    "הצעת מחיר מספר {number}, דחוף",
    "🎉 You made it: {number} followers!",
    "Overdue, final notice; amount: 1.{number},50 €",
    "<b>Limited offer</b> & free shipping <script>alert({number})</script>",
    'O\'Neill & Söhne – "Order" #{number}',
    "\u202eexe.{number} eciovni\u202c",
    "",
)
SUSPICIOUS_SUBJECTS = (
    "Your password expires today",
    "ACTION REQUIRED: verify mailbox {number}",
    "Wire transfer {number}, confidential",
    "Voice message from +44 20 7946 {number}",
    "⚠️ Unusual sign-in, confirm now",
    "تحذير: حسابك سيُغلق",
    "Re: payment details changed, see <a href='https://billing-portal.example/{number}'>here</a>",
)

# (info of the tracked row, queue reason)
HOLD_REASONS = (
    ("Message Hold Applied - Spam Signature policy", "Relaxed Spam Detection"),
    ("Message Hold Applied - Content examination policy", "Fraud Alert"),
    ("Message Hold Applied - Impersonation Protection policy", "Default Impersonation Protect Definition"),
    ("Message Hold Applied - Attachment Policy", "Block Dangerous File Types"),
    ("Message Hold Applied - URL Protection policy", "Default Inbound URL Protect Definition"),
)
RISKS = ("negligible", "low", "medium", "high")

# (file name, content type, first bytes)
FILES = (
    ("invoice.pdf", "application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    ("Rechnung März.pdf", "application/pdf", b"%PDF-1.4\n"),
    ("figures.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04\x14\x00"),
    ("scan.png", "image/png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    ("notes.txt", "text/plain", "Notes of the meeting, naïve draft\r\n".encode()),
    ("archive.zip", "application/zip", b"PK\x03\x04\x0a\x00"),
    ("請求書.csv", "text/csv", "番号,金額\r\n1,100\r\n".encode()),
    ("update, final.js", "application/javascript", b"var shell = new ActiveXObject('demo');\n"),
)
