"""The evaluation as a picture of four panels: ROC, precision-recall, confusion, importance."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")  # jobs have no screen

from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2a6fa8", "#d1731f", "#8a8a8a"
CLASSES = ("not a pulsar", "pulsar")


def draw(
    title: str, metrics: Mapping[str, Any], importance: Mapping[str, float], measure: str
) -> bytes:
    """Draw the panels from the report's metrics and return a PNG.

    ``importance`` gives each feature's; ``measure`` says what the numbers are.
    """
    figure = Figure(figsize=(12.0, 9.0), dpi=110, layout="constrained")
    figure.suptitle(title, fontsize=15, fontweight="bold")
    panels = figure.subplots(2, 2)
    draw_roc(panels[0, 0], metrics)
    draw_precision_recall(panels[0, 1], metrics)
    draw_confusion(panels[1, 0], metrics["confusion_matrix"])
    draw_importance(panels[1, 1], importance, measure)
    buffer = io.BytesIO()
    # No software version or date inside: the same evaluation gives the same file.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def draw_roc(panel: Any, metrics: Mapping[str, Any]) -> None:
    """Draw the ROC curve and the point where the classifier works."""
    curve = metrics["receiver_operating_characteristic_curve"]
    x, y = curve["false_positive_rates"], curve["true_positive_rates"]
    panel.plot(x, y, color=BLUE, linewidth=2, label=f"AUC {metrics['auc']['value']:.4f}")
    panel.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance")
    place = metrics["false_positive_rate"]["value"], metrics["true_positive_rate"]["value"]
    panel.plot(*place, "o", color=ORANGE, markersize=8, label="decision threshold")
    panel.set_xlabel("false positive rate")
    panel.set_ylabel("true positive rate (recall)")
    finish(panel, "ROC curve", "lower right")


def draw_precision_recall(panel: Any, metrics: Mapping[str, Any]) -> None:
    """Draw the precision-recall curve, the share of pulsars and the working point."""
    curve = metrics["precision_recall_curve"]
    label = f"area {metrics['au_prc']['value']:.4f}"
    panel.plot(curve["recalls"], curve["precisions"], color=BLUE, linewidth=2, label=label)
    share = metrics["precision_best_constant_classifier"]["value"]
    panel.axhline(share, color=GREY, linestyle="--", linewidth=1, label="share of pulsars")
    place = metrics["recall"]["value"], metrics["precision"]["value"]
    panel.plot(*place, "o", color=ORANGE, markersize=8, label="decision threshold")
    panel.set_xlabel("recall")
    panel.set_ylabel("precision")
    finish(panel, "Precision and recall", "lower left")


def finish(panel: Any, title: str, legend: str) -> None:
    """Give a panel of rates its title, limits, grid and legend."""
    panel.set_title(title)
    panel.set_xlim(-0.02, 1.02)
    panel.set_ylim(-0.02, 1.02)
    panel.grid(color="#dddddd", linewidth=0.7)
    panel.set_axisbelow(True)
    panel.legend(loc=legend)


def draw_confusion(panel: Any, matrix: Mapping[str, Mapping[str, int]]) -> None:
    """Draw counts by actual and predicted class; the colour is the share of the actual class."""
    counts = [[matrix[str(actual)][str(found)] for found in (0, 1)] for actual in (0, 1)]
    shares = [[cell / max(1, sum(row)) for cell in row] for row in counts]
    panel.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for actual in (0, 1):
        for found in (0, 1):
            share = shares[actual][found]
            panel.text(
                found,
                actual,
                f"{counts[actual][found]:,}\n{share:.1%}",
                ha="center",
                va="center",
                fontsize=14,
                color="white" if share > 0.5 else "black",
            )
    panel.set_xticks([0, 1], CLASSES)
    panel.set_yticks([0, 1], CLASSES, rotation=90, va="center")
    panel.set_xlabel("predicted")
    panel.set_ylabel("actual")
    panel.set_title("Confusion matrix (shares of the actual class)")


def draw_importance(panel: Any, importance: Mapping[str, float], measure: str) -> None:
    """Draw one bar for each feature, the most important on top."""
    order: Sequence[str] = sorted(importance, key=lambda name: importance[name])
    values = [importance[name] for name in order]
    bars = panel.barh([name_feature(name) for name in order], values, color=BLUE)
    panel.tick_params(axis="y", labelsize=9)
    panel.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
    panel.margins(x=0.14)
    panel.axvline(0.0, color="black", linewidth=0.8)
    panel.grid(axis="x", color="#dddddd", linewidth=0.7)
    panel.set_axisbelow(True)
    panel.set_xlabel(measure)
    panel.set_title("Feature importance")


def name_feature(name: str) -> str:
    """Name a feature on two short lines: the curve, and the statistic of it."""
    for prefix, curve in (("profile_", "profile"), ("dm_snr_", "DM-SNR curve")):
        if name.startswith(prefix):
            return f"{curve}\n{name.removeprefix(prefix).replace('_', ' ')}"
    return name.replace("_", " ")
