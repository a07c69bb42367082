"""Loss as a function of the mix: families of functions, the one that predicts best, and the weights it likes most.

Source: RegMix (Liu et al. 2024, https://arxiv.org/abs/2407.01492): a regression on small runs, the mean of the best
predicted mixes. Deviations: the family is chosen by cross-validation instead of always boosted trees, among them the
exponential of data mixing laws (Ye et al. 2024, https://arxiv.org/abs/2403.16952, equation 7).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hornbook.core.seed import array_stream

if TYPE_CHECKING:
    import numpy as np

Predict = Callable[[Any], Any]
"""From weights [mixes, domains] to losses [mixes]."""
Fit = Callable[[Any, Any], Predict]

FOLDS = 5
SMALLEST_WEIGHT = 0.01
FLOOR = 0.05
TREES_FROM = 40
"""Mixes below which boosted trees are not tried: they need many to see anything."""


@dataclass(frozen=True)
class Law:
    """The chosen family: its name, how it is fitted, the function fitted to all mixes; its error on mixes left out
    (root mean square) and that of the others; the rank correlation of its predictions on those left out."""

    name: str
    fit: Fit
    predict: Predict
    error: float
    errors: dict[str, float]
    rank_correlation: float


def linear(weights: Any, losses: Any) -> Predict:
    """A straight line in the weights, pulled a little towards flat."""
    import numpy as np
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1e-3).fit(weights, losses)
    return lambda w: np.asarray(model.predict(w))


def logarithmic(weights: Any, losses: Any) -> Predict:
    """A straight line in the logarithms of the weights (of those plus a hundredth): the first share helps most."""
    import numpy as np

    line = linear(np.log(np.asarray(weights) + SMALLEST_WEIGHT), losses)
    return lambda w: line(np.log(np.asarray(w) + SMALLEST_WEIGHT))


def exponential(weights: Any, losses: Any) -> Predict:
    """c + exp(b + sum of t_i w_i), by least squares from a straight line through the logarithms.

    Source: data mixing laws, equation 7.
    """
    import numpy as np
    from scipy.optimize import least_squares

    w, y = np.asarray(weights), np.asarray(losses)
    low = float(y.min() - 0.25 * max(float(np.ptp(y)), 1e-9))
    start = np.linalg.lstsq(np.column_stack((np.ones(len(w)), w)), np.log(y - low), rcond=None)[0]
    first = np.concatenate(([low], start))

    def value(p: Any, at: Any) -> Any:
        return p[0] + np.exp(np.clip(p[1] + at @ p[2:], -30, 30))

    def slope(p: Any) -> Any:
        rise = value(p, w) - p[0]
        return np.vstack((np.column_stack((np.ones(len(w)), rise, rise[:, None] * w)), 1e-4 * np.eye(len(p))))

    # the sum of the weights is one, so a little pull keeps b and t from drifting against each other
    jac: Any = slope  # the stub knows only the names of built-in ones
    found = least_squares(lambda p: np.concatenate((value(p, w) - y, 1e-4 * (p - first))), first, jac, max_nfev=100)
    return lambda at: value(found.x, np.asarray(at))


def trees(weights: Any, losses: Any) -> Predict:
    """Boosted regression trees."""
    import numpy as np
    from sklearn.ensemble import GradientBoostingRegressor

    model = GradientBoostingRegressor(n_estimators=150, max_depth=3, learning_rate=0.08, random_state=0)
    model.fit(weights, losses)
    return lambda w: np.asarray(model.predict(w))


def choose(weights: Any, losses: Any, seed: int) -> Law:
    """The family with the least error in five-fold cross-validation, fitted to everything."""
    import numpy as np
    from scipy.stats import spearmanr

    families: dict[str, Fit] = {"linear": linear, "logarithmic": logarithmic, "exponential": exponential}
    if len(losses) >= TREES_FROM:
        families["trees"] = trees
    left_out = {name: _left_out(fit, weights, losses, seed) for name, fit in families.items()}
    errors = {name: float(np.sqrt(np.mean((found - losses) ** 2))) for name, found in left_out.items()}
    best = min(errors, key=lambda name: errors[name])
    ranks: Any = spearmanr(left_out[best], losses) if np.ptp(losses) else (0.0, 1.0)
    return Law(best, families[best], families[best](weights, losses), errors[best], errors, float(ranks[0]))


def _left_out(fit: Fit, weights: Any, losses: Any, seed: int) -> "np.ndarray":
    """The prediction for each mix by a fit that has not seen it."""
    import numpy as np

    order = array_stream(seed, "scaling.regression/folds").permutation(len(losses))
    found = np.zeros(len(losses))
    for part in np.array_split(order, min(FOLDS, len(losses))):
        rest = np.setdiff1d(order, part)
        found[part] = fit(weights[rest], losses[rest])(weights[part])
    return found


def sample_mixes(natural: Any, num_mixes: int, max_epochs: float, seed: int, name: str) -> "np.ndarray":
    """Mixes to try [mixes, domains]: Dirichlet draws around the natural shares, from one domain to near the centre.

    Source: RegMix: the centre is natural ** .5, the strengths run over a range evenly in their logarithm. Deviations:
    strengths of .5 to 8 for each domain (theirs, .1 to 5 in all, are for hundreds of proxies: most mixes are then one
    domain, whose absurd losses a fit to a few dozen follows); every domain keeps a twentieth of its natural share, and
    none takes more than `max_epochs` of itself in a mix as large as the corpus.
    """
    import numpy as np

    generator = array_stream(seed, f"scaling.mixture/{name}")
    natural = np.asarray(natural, np.float64)
    centre = np.sqrt(natural) / np.sqrt(natural).sum()
    strengths = np.geomspace(0.5, 8.0, 15) * len(natural)
    found: list[np.ndarray] = []
    while len(found) < num_mixes:
        drawn = generator.dirichlet(np.maximum(centre * generator.choice(strengths), 1e-3))
        found.append(within((1 - FLOOR) * drawn + FLOOR * natural, natural, max_epochs))
    return np.stack(found)


def within(mix: Any, natural: Any, max_epochs: float) -> "np.ndarray":
    """A mix in which no domain exceeds `max_epochs` times its natural share; what is over goes to the others."""
    import numpy as np

    bounds = np.asarray(natural) * max(1.0, max_epochs)
    mix = np.clip(np.asarray(mix, np.float64), 1e-6, None)
    mix = mix / mix.sum()
    for _ in range(len(mix)):
        over = mix > bounds
        if not over.any():
            break
        mix = np.where(over, bounds, mix)
        free = mix < bounds
        mix[free] *= (1 - mix[~free].sum()) / mix[free].sum() if free.any() else 1.0
    return mix / mix.sum()


def best_mix(predict: Predict, candidates: Any, most: int = 50) -> "np.ndarray":
    """The mean of the candidates with the lowest predicted loss: one alone would be chosen by the fit's own error."""
    import numpy as np

    order = np.argsort(predict(candidates), kind="stable")
    return np.asarray(candidates)[order[: min(most, len(order))]].mean(axis=0)
