"""Methods of other people's packages: found by their entry points, or left out with the reason."""

import contextlib
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from skmm_core.methods.spec import Family, MethodParams, MethodSpec

GROUP = "skmm_core.methods"


@dataclass(frozen=True)
class Plugin:
    """One entry point of another package.

    Attributes:
        name: of the entry point.
        distribution: the installed package that declares it.
        version: of that package, or None where its metadata do not say.
        methods: registry keys of its methods; none when it is left out.
        fault: why it is left out, or None.
    """

    name: str
    distribution: str
    version: str | None
    methods: frozenset[str] = frozenset()
    fault: str | None = None

    @property
    def fault_line(self) -> str:
        """For a person: what is left out, whose it is, and why."""
        package = " ".join(filter(None, (self.distribution, self.version)))
        return f"the methods of {self.name!r} from the package {package} are left out: {self.fault}"


class Plugins:
    """The plug-ins of this process, imported once, the first time that somebody asks for the methods.

    Args:
        registry: methods by key, where importing a plug-in adds its own.
    """

    def __init__(self, registry: dict[str, MethodSpec]) -> None:
        self._registry = registry
        self._found: list[Plugin] = []
        self._begun = False
        self._lock = threading.RLock()  # two pages may ask at once; the second is to see all methods or wait

    def load(self) -> None:
        """Import all plug-ins by name, unless that was done; what cannot be used leaves no method behind."""
        with self._lock:
            if self._begun:  # also when a plug-in asks for the methods while it is imported
                return
            self._begun = True
            for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
                self._found.append(self._load(point))

    def left_out(self) -> tuple[Plugin, ...]:
        """Those that cannot be used."""
        return tuple(plugin for plugin in self._found if plugin.fault is not None)

    def position(self, key: str) -> int:
        """Place of a method's plug-in among all; that after the last for methods of no plug-in."""
        return next((i for i, plugin in enumerate(self._found) if key in plugin.methods), len(self._found))

    def owner(self, key: str) -> Plugin | None:
        """The plug-in that a method is from, or None."""
        return next((plugin for plugin in self._found if key in plugin.methods), None)

    def _load(self, point: EntryPoint) -> Plugin:
        before = set(self._registry)
        distribution, version = _package(point)
        try:
            with contextlib.redirect_stdout(sys.stderr):  # results are read from stdout; a greeting would spoil them
                point.load()
            methods = self._methods_of(point, before)
            _check(self._registry[key] for key in methods)
        except (Exception, SystemExit) as error:
            for key in set(self._registry) - before:
                del self._registry[key]
            return Plugin(point.name, distribution, version, fault=_one_line(error))
        return Plugin(point.name, distribution, version, methods)

    def _methods_of(self, point: EntryPoint, before: set[str]) -> frozenset[str]:
        """What importing it added, and what its module had registered when somebody imported it earlier."""
        earlier = {key for key in before if self._registry[key].function.__module__ == point.module}
        methods = frozenset(earlier | (set(self._registry) - before))
        if not methods:
            raise ValueError(f"importing {point.module} registers no method")
        return methods


def _package(point: EntryPoint) -> tuple[str, str | None]:
    """Name and version of the package that declares an entry point, as far as its metadata say."""
    try:
        return (point.dist.name, point.dist.version) if point.dist else ("unknown", None)
    except Exception:  # the metadata file is missing or damaged
        return "unknown", None


def _check(specs: Iterable[MethodSpec]) -> None:
    """Refuse what would break the lists and forms that all methods share.

    Raises:
        ValueError: with what is wrong, for the author.
    """
    for spec in specs:
        if not isinstance(spec.family, Family):
            raise ValueError(f"the family of {spec.key!r} is {spec.family!r}, not one of Family")
        if not issubclass(spec.params, MethodParams):
            raise ValueError(f"the params of {spec.key!r} are no MethodParams")
        if required := [name for name, field in spec.params.model_fields.items() if field.is_required()]:
            raise ValueError(f"param {required[0]!r} of {spec.key!r} has no default")
        if spec.recommended:
            raise ValueError(
                f"{spec.key!r} is registered as recommended; the defaults are chosen among our own methods"
            )


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, ValueError) else f"{type(error).__name__}: {text}"
