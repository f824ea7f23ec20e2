"""The thirteen labels of a paragraph, and the policies that say which of them stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

__all__ = ["BOILERPLATE", "CONTENT", "LABELS", "POLICIES", "Label", "Policy", "labels_named", "policy_named"]


class Label(str, Enum):
    """What a paragraph of a scraped article is; each label is also its own name.

    >>> Label("byline").meaning
    'who, when, where and how long: authors, dates, read time, agencies'
    >>> Label.BODY == "body", Label.BODY.group
    (True, 'content')
    """

    BODY = "body"
    HEADING = "heading"
    CAPTION = "caption"
    BYLINE = "byline"
    AUTHOR_BIO = "author_bio"
    NEWSLETTER = "newsletter"
    STORY_LINK = "story_link"
    NAVIGATION = "navigation"
    SOCIAL = "social"
    COMMENTS = "comments"
    PROMOTION = "promotion"
    LEGAL = "legal"
    OTHER = "other"

    @property
    def meaning(self) -> str:
        """Say in one line what the label stands for."""
        return MEANINGS[self]

    @property
    def group(self) -> str:
        """Say whether the label is ``"content"`` or ``"boilerplate"``."""
        return "content" if self in CONTENT else "boilerplate"

    __str__ = str.__str__
    __repr__ = str.__repr__

    def __format__(self, specification: str) -> str:
        """Format as the plain name."""
        return str.__format__(self, specification)


MEANINGS: dict[Label, str] = {
    Label.BODY: "the article itself: paragraphs, lists, quotations, tables",
    Label.HEADING: "the article's headline and the subheadings inside it",
    Label.CAPTION: "caption or credit of one of the article's pictures",
    Label.BYLINE: "who, when, where and how long: authors, dates, read time, agencies",
    Label.AUTHOR_BIO: "text about the author or about the publication",
    Label.NEWSLETTER: "asks to subscribe, sign up or pay, with their form and small print",
    Label.STORY_LINK: "leads to another piece: previous, next, related, teasers",
    Label.NAVIGATION: "ways around the site: menus, tags, pages, search, log-in",
    Label.SOCIAL: "share, follow, like, save, print, and their counters",
    Label.COMMENTS: "readers' comments, their counts, headings and forms",
    Label.PROMOTION: "advertising, donations, own products, events and apps",
    Label.LEGAL: "copyright, cookies, privacy, terms, disclosures",
    Label.OTHER: "none of these: loading strings, addresses, widgets",
}
LABELS: tuple[Label, ...] = tuple(Label)
CONTENT: frozenset[Label] = frozenset({Label.BODY, Label.HEADING, Label.CAPTION})
BOILERPLATE: frozenset[Label] = frozenset(LABELS) - CONTENT


@dataclass(frozen=True)
class Policy:
    """Which labels stay, how much content may be lost, and what happens to a doubtful document.

    ``keep`` names the labels that stay. ``max_content_loss`` is the stated share of
    words of kept labels that may be removed by mistake, as measured on the model's
    own calibration rows; None keeps what is more likely content than not.
    ``when_doubtful`` is ``"keep"`` (give the whole document back) or ``"clean"`` (go
    on) where less than ``doubtful_share`` of a document's words would stay.

    >>> Policy(keep={"body", "heading"}, max_content_loss=0.005).keep == {"body", "heading"}
    True
    >>> Policy(keep={"sidebar"})
    Traceback (most recent call last):
    ValueError: unknown label 'sidebar'; labels are body, heading, caption, byline, ...
    """

    keep: frozenset[Label] = CONTENT
    max_content_loss: float | None = None
    when_doubtful: str = "keep"
    doubtful_share: float = 0.05

    def __init__(
        self,
        keep: Iterable[str] = CONTENT,
        max_content_loss: float | None = None,
        when_doubtful: str = "keep",
        doubtful_share: float = 0.05,
    ) -> None:
        """Check the values and freeze them."""
        if max_content_loss is not None and not 0 <= max_content_loss < 1:
            raise ValueError(f"max_content_loss is a share from 0 to below 1, not {max_content_loss!r}")
        if when_doubtful not in ("keep", "clean"):
            raise ValueError(f"when_doubtful is 'keep' or 'clean', not {when_doubtful!r}")
        if not 0 <= doubtful_share <= 1:
            raise ValueError(f"doubtful_share is a share from 0 to 1, not {doubtful_share!r}")
        object.__setattr__(self, "keep", labels_named(keep))
        object.__setattr__(self, "max_content_loss", max_content_loss)
        object.__setattr__(self, "when_doubtful", when_doubtful)
        object.__setattr__(self, "doubtful_share", doubtful_share)

    def changed(
        self, *, keep: Iterable[str] = (), drop: Iterable[str] = (), max_content_loss: float | None = None
    ) -> Policy:
        """Give this policy with some labels kept or dropped as well, or another stated loss.

        >>> sorted(POLICIES["balanced"].changed(keep=["byline"], drop=["caption"]).keep)
        ['body', 'byline', 'heading']
        """
        kept = (self.keep | labels_named(keep)) - labels_named(drop)
        loss = self.max_content_loss if max_content_loss is None else max_content_loss
        return replace(self, keep=kept, max_content_loss=loss)


def labels_named(names: Iterable[str]) -> frozenset[Label]:
    """Look labels up by name.

    >>> sorted(labels_named(["legal", "social"]))
    ['legal', 'social']
    """
    if isinstance(names, str):
        names = [names]
    try:
        return frozenset(Label(name) for name in names)
    except ValueError as error:
        unknown = str(error).split(" is not")[0]
        raise ValueError(f"unknown label {unknown}; labels are {', '.join(LABELS)}") from None


POLICIES: dict[str, Policy] = {
    "balanced": Policy(),
    "careful": Policy(max_content_loss=0.005),
    "strict": Policy(max_content_loss=0.03, when_doubtful="clean"),
    "metadata": Policy(keep=CONTENT | {Label.BYLINE, Label.AUTHOR_BIO}),
}


def policy_named(policy: str | Policy) -> Policy:
    """Give a policy by its name, or as it is.

    >>> policy_named("careful").max_content_loss
    0.005
    """
    if isinstance(policy, Policy):
        return policy
    if policy not in POLICIES:
        raise ValueError(f"unknown policy {policy!r}; policies are {', '.join(POLICIES)}")
    return POLICIES[policy]
