"""Label every paragraph of a scraped article, and give back the article."""

from boilerplate.cleaner import Cleaner, clean, load
from boilerplate.document import (
    BoilerplateError,
    Cleaned,
    DataError,
    Document,
    FormatError,
    LabelledParagraph,
    ModelError,
    OutputError,
    Paragraph,
    Record,
)
from boilerplate.explanation import Explanation
from boilerplate.labels import Label, Policy

__all__ = [
    "BoilerplateError",
    "Cleaned",
    "Cleaner",
    "DataError",
    "Document",
    "Explanation",
    "FormatError",
    "Label",
    "LabelledParagraph",
    "ModelError",
    "OutputError",
    "Paragraph",
    "Policy",
    "Record",
    "__version__",
    "clean",
    "load",
]

__version__ = "0.1.0"
