"""A model is a folder: ``card.json`` and ``weights.npz`` for the machine, ``card.md`` for people.

Loading looks, audits, and only then builds; nothing is ever unpickled. The weights'
digest stands in the card, so a damaged or altered file is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from boilerplate.columns import WORD_BITS
from boilerplate.document import ModelError, OutputError
from boilerplate.features import feature_names
from boilerplate.labels import LABELS, Policy
from boilerplate.network import Network

__all__ = ["FORMAT", "Calibration", "Model", "default_model", "describe", "load_model", "save_model"]

FORMAT = 2
"""The number of the folder's layout. A change that older code cannot read adds one here,
keeps a test folder of the old layout, and says in CHANGELOG how to retrain."""

CARD, WEIGHTS, PAGE = "card.json", "weights.npz", "card.md"
PLAIN_THRESHOLD = 0.5  # without a stated loss: more likely content than not
SURE = (254.5 / 255) ** 2  # coded as certain from here on, so no threshold may ask for more
FEWEST_WORDS = 5000  # of a view, before a stated loss is held within it alone
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, eq=False)
class Calibration:
    """Out-of-fold rows: what was predicted, what was right, how many words, and in which view.

    ``codes`` are (rows x labels) uint8, 255 times the root of the probability, so that
    small ones keep their order.

    >>> rows = np.eye(13, dtype=np.float32)[:2] * 0.81
    >>> Calibration.of(rows, np.array([0, 1]), np.array([9, 9]), np.array([0, 0])).codes[0, :2].tolist()
    [230, 0]
    """

    codes: NDArray[np.uint8]
    labels: NDArray[np.int8]
    words: NDArray[np.uint16]
    views: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        probabilities: NDArray[np.float32],
        labels: NDArray[Any],
        words: NDArray[Any],
        views: NDArray[Any],
    ) -> Calibration:
        """Code rows of probabilities, (rows x labels)."""
        codes = np.rint(np.sqrt(probabilities) * 255).astype(np.uint8)
        words = np.minimum(words, np.iinfo(np.uint16).max).astype(np.uint16)
        return cls(codes, labels.astype(np.int8), words, views.astype(np.uint8))

    def threshold(self, policy: Policy) -> float:
        """Give the probability a paragraph needs to stay.

        With a stated loss it is the highest threshold that removes at most that share of
        the words of kept labels, over all rows and within each view that has enough of them.
        """
        if policy.max_content_loss is None:
            return PLAIN_THRESHOLD
        kept = np.array([label in policy.keep for label in LABELS])
        probability = ((self.codes / 255.0) ** 2)[:, kept].sum(axis=1)
        content = kept[self.labels]
        parts = [content] + [content & (self.views == view) for view in np.unique(self.views)]
        enough = [part for part in parts if self.words[part].sum() >= FEWEST_WORDS] or parts[:1]
        loss = policy.max_content_loss
        return min(SURE, *(loss_threshold(probability[part], self.words[part], loss) for part in enough))


def loss_threshold(probability: NDArray[Any], words: NDArray[Any], loss: float) -> float:
    """Give the highest threshold below which lie at most a share of the words; equal scores fall together.

    >>> loss_threshold(np.array([0.1, 0.2, 0.2, 0.9]), np.array([1, 1, 1, 97]), 0.02)
    0.2
    """
    if not len(probability):
        return PLAIN_THRESHOLD
    values, inverse = np.unique(probability, return_inverse=True)
    below = np.cumsum(np.bincount(inverse, weights=words)) / max(float(words.sum()), 1.0)
    at = int(np.searchsorted(below, loss, side="right"))
    return float(values[min(at, len(values) - 1)])


@dataclass(frozen=True, eq=False)
class Model:
    """A loaded model folder; its weights are read when first needed."""

    folder: Path
    card: Mapping[str, Any]

    @cached_property
    def _arrays(self) -> Mapping[str, NDArray[Any]]:
        return _read_weights(self.folder, self.card)

    @cached_property
    def network(self) -> Network:
        """The network for text."""
        try:
            arrays = {name[5:]: array for name, array in self._arrays.items() if name.startswith("text.")}
            network = Network.from_arrays(arrays)
        except KeyError as error:
            raise self._missing(error) from None
        return network

    @cached_property
    def calibration(self) -> Calibration:
        """The rows from which thresholds are computed."""
        names = ("codes", "labels", "words", "views")
        try:
            return Calibration(*(self._arrays[f"calibration.{name}"] for name in names))
        except KeyError as error:
            raise self._missing(error) from None

    @property
    def documents(self) -> frozenset[str]:
        """The digests of the pages the model was trained on."""
        if not isinstance(self.card.get("documents"), list):
            raise ModelError(f"{self.folder / CARD} does not say what it was trained on; {_WAY_OUT}")
        return frozenset(self.card["documents"])

    def _missing(self, error: KeyError) -> ModelError:
        return ModelError(f"{self.folder / WEIGHTS}: array {error} is missing; {_WAY_OUT}")


_WAY_OUT = "train it again (boilerplate train DATA -o DIR) or install the package again"


def default_model() -> Path:
    """Find the packaged model, in a wheel and in an editable install alike.

    >>> (default_model() / "card.json").exists()
    True
    """
    for folder in (HERE / "models" / "default", HERE.parent / "models" / "default"):
        if (folder / CARD).exists():
            return folder
    raise ModelError(f"the packaged model is missing beside {HERE}; install the package again")


def load_model(folder: Path | str | None = None) -> Model:
    """Open a model folder after checking that this version can use it.

    >>> load_model().card["format"] == FORMAT
    True
    """
    where = default_model() if folder is None else Path(folder).resolve()
    card = _read_card(where)
    if card.get("format") != FORMAT:
        raise ModelError(f"{where}: format {card.get('format')!r}, this version reads {FORMAT}; {_WAY_OUT}")
    for name, known in (
        ("features", list(feature_names())),
        ("labels", list(LABELS)),
        ("word_bits", WORD_BITS),
    ):
        if card.get(name) != known:
            raise ModelError(
                f"{where}: made with other {name} ({_difference(card.get(name), known)}); {_WAY_OUT}"
            )
    if not (where / WEIGHTS).is_file():
        raise ModelError(f"{where / WEIGHTS} is missing; {_WAY_OUT}")
    return Model(where, card)


def _read_card(folder: Path) -> dict[str, Any]:
    try:
        card = json.loads((folder / CARD).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(
            f"{folder} is no model folder: it has no {CARD}; name a folder made by boilerplate train"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / CARD} cannot be read ({error}); {_WAY_OUT}") from error
    if not isinstance(card, dict):
        raise ModelError(f"{folder / CARD} is no model card; {_WAY_OUT}")
    return card


def _difference(found: Any, known: Any) -> str:
    if not isinstance(found, list) or not isinstance(known, list):
        return f"{found!r}, this version has {known!r}"
    pairs = zip(found + [None] * len(known), known + [None] * len(found), strict=True)
    return next(f"{ours!r} where this version has {theirs!r}" for ours, theirs in pairs if ours != theirs)


def _read_weights(folder: Path, card: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    path = folder / WEIGHTS
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != card.get("weights"):
            raise ModelError(f"{path} is damaged or not the one its card was written for; {_WAY_OUT}")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"{path} cannot be read ({error}); {_WAY_OUT}") from error


def save_model(
    folder: Path | str, network: Network, calibration: Calibration, facts: Mapping[str, Any], page: str
) -> Path:
    """Write a model folder; each file appears whole or not at all, the card last.

    >>> import tempfile
    >>> model = load_model()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     where = save_model(folder, model.network, model.calibration, {"documents": []}, "# Mine")
    ...     sorted(path.name for path in where.iterdir())
    ['card.json', 'card.md', 'weights.npz']
    """
    where = Path(folder)
    arrays = {f"text.{name}": array for name, array in network.arrays().items()}
    arrays |= {f"calibration.{name}": array for name, array in vars(calibration).items()}
    try:
        where.mkdir(parents=True, exist_ok=True)
        _write(where / WEIGHTS, lambda path: write_arrays(path, arrays))
        digest = hashlib.sha256((where / WEIGHTS).read_bytes()).hexdigest()
        card = {
            "format": FORMAT,
            "labels": list(LABELS),
            "features": list(feature_names()),
            "word_bits": WORD_BITS,
        }
        text = json.dumps({**card, "weights": digest, **facts}, indent=1, ensure_ascii=False) + "\n"
        _write(where / PAGE, lambda path: path.write_text(page, encoding="utf-8"))
        _write(where / CARD, lambda path: path.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise OutputError(
            f"{error.filename or where}: the model cannot be written ({error.strerror})"
        ) from error
    return where


def _write(path: Path, write: Any) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_arrays(path: Path | BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as .npz with fixed times and order, so that the same arrays give the same bytes.

    >>> import io
    >>> one, two = io.BytesIO(), io.BytesIO()
    >>> write_arrays(one, {"a": np.ones(3), "b": np.zeros(2)})
    >>> write_arrays(two, {"b": np.zeros(2), "a": np.ones(3)})
    >>> one.getvalue() == two.getvalue()
    True
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(arrays[name]), allow_pickle=False)


def describe(model: Path | str | None = None) -> dict[str, Any]:
    """Give a model's card, without its documents, and the threshold of each policy.

    >>> describe()["thresholds"]["balanced"]
    0.5
    """
    from boilerplate.labels import POLICIES

    loaded = load_model(model)
    thresholds = {name: loaded.calibration.threshold(policy) for name, policy in POLICIES.items()}
    card = {key: value for key, value in loaded.card.items() if key != "documents"}
    return {
        "folder": str(loaded.folder),
        "thresholds": thresholds,
        "training_documents": len(loaded.documents),
        **card,
    }
