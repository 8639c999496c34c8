"""Tables of autoencoders: training and evaluation."""

from rich.console import Console

from zoo.report.tables.layout import Document, number, table


def training(console: Console, summary: Document) -> None:
    """What a training came to."""
    console.print(
        f"{summary['parameters']:,} parameters, {summary['train_patches']:,} patches, {summary['epochs']} epochs in "
        f"{summary['seconds']:.1f} s",
        highlight=False,
    )
    found = summary["validation"]
    if found is None:
        console.print("nothing held out: how good it is on other photographs is not known", highlight=False)
        return
    where = ", ".join(summary["held_out"]) or "random patches, which may overlap those of training"
    console.print(
        f"held out: mean squared error a pixel {found['mse']:.5f} ({summary['held_out_patches']:,} patches; {where})",
        highlight=False,
    )


def evaluation(console: Console, report: Document) -> None:
    """All tables of one evaluation."""
    simulated = ", SIMULATED" if report["simulated"] else ""
    shown = table(
        f"{report['model']} on {report['data']} ({report['split']}, {report['patches']:,} patches{simulated})",
        "", "error a pixel", "R^2",
    )  # fmt: skip
    units = len(report["mean_activation"])
    shown.add_row("this model", number(report["mse"], 5), number(report["r2"]), style="bold")
    shown.add_row(f"PCA, {units} components", number(report["pca_mse"], 5), number(report["pca_r2"]))
    shown.add_row("mean of each pixel", number(report["variance"], 5), number(0.0))
    console.print(shown)
    low, high = min(report["mean_activation"]), max(report["mean_activation"])
    console.print(
        f"\nmean activations {low:.4f} to {high:.4f}, wanted {report['sparsity_target']:g}: the farthest is "
        f"{report['max_activation_error']:.4f} away; {report['dead_units']} of {units} units dead, "
        f"{report['saturated_units']} saturated\n"
        f"{report['gabor_share']:.0%} of the filters are Gabor functions (R^2 above 0.5)",
        highlight=False,
    )
    if report.get("per_photograph"):
        apart = table("\nby photograph", "", "patches", "error a pixel", "R^2")
        for name, row in report["per_photograph"].items():
            kept = 1 - row["mse"] / row["variance"] if row["variance"] else None
            apart.add_row(name, number(row["patches"]), number(row["mse"], 5), number(kept))
        console.print(apart)
    for note in report["notes"]:
        console.print(f"note: {note}", style="yellow", highlight=False)
