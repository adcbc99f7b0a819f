"""The third lecture's figures of the inside of a training, for one network or many."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from makemore.evaluation.diagnosis import HEALTHY, Diagnosis, density


def draw(networks: Mapping[str, Diagnosis]) -> Figure:
    """A row of panels per network: activations and their gradients by layer, updates by matrix."""
    drawn = Figure(figsize=(15, 3.4 * len(networks)), layout="constrained")
    panels = drawn.subplots(len(networks), 3, squeeze=False)
    for (name, found), (activations, gradients, updates) in zip(networks.items(), panels, strict=True):
        summary = found.summary()
        for layer, values in found.activations.items():
            about = f"{layer}: std {summary[layer]['std']:.2f}"
            if found.bounded:
                about += f", saturated {summary[layer]['saturated']:.1%}"
            activations.plot(*density(values), linewidth=1, label=about)
            about = f"{layer}: std {summary[layer]['gradient_std']:.1e}"
            gradients.plot(*density(found.gradients[layer]), linewidth=1, label=about)
        for matrix, ratios in found.updates.items():
            about = f"{matrix}: grad/data {found.ratios[matrix]:.1e}"
            updates.plot(found.steps, ratios, linewidth=0.8, label=about)
        updates.axhline(HEALTHY, color="black", linewidth=1)
        activations.set(title=f"{name}: activations", xlabel="value", ylabel="density")
        gradients.set(title=f"{name}: gradients of the activations", xlabel="value")
        updates.set(title=f"{name}: updates", xlabel="step", ylabel="log10(update / data)")
        gradients.ticklabel_format(axis="x", style="sci", scilimits=(0, 0))
        for axes, place in (activations, "upper right"), (gradients, "upper right"), (updates, "lower left"):
            if axes.get_legend_handles_labels()[0]:
                axes.legend(fontsize=6, loc=place)
    return drawn
