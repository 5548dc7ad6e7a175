# Tables and figures of a run, as the report shows them.
def table_in_report(path, caption, stage, table):
    """Return a table of a run as an output that the report shows."""
    return report(
        path,
        caption=f"../report/{caption}.rst",
        category="{run}",
        subcategory="Tables",
        labels={"stage": stage, "table": table},
    )


# What each figure of a run is called in the report, and which stages of training it shows.
FIGURE_LABELS = {
    "learning_curves": ("both", "learning curves"),
    "prediction_grid": ("last", "prediction grid"),
    "confusion_matrix": ("both", "confusion matrix"),
    "roc_pr": ("both", "ROC, precision and recall"),
    "reliability": ("both", "reliability"),
    "mistakes": ("last", "mistakes"),
    "feature_map": ("last", "feature map"),
    "gradcam": ("last", "Grad-CAM"),
}


# Figures that show photos. The report has them as JPEG, the others as PNG of few colours.
FIGURES_OF_PHOTOS = ("prediction_grid", "mistakes", "gradcam")


def figures_of_run():
    """Return a run's figures in every format."""
    return collect(paths.FIGURE, run="{run}", figure=FIGURES_OF_A_RUN, format=formats_of_figures())


def figures_in_report():
    """Return the smaller copies of a run's figures, which the report shows."""
    copies = []
    for name in FIGURES_OF_A_RUN:
        stage, title = FIGURE_LABELS[name]
        format = "jpg" if name in FIGURES_OF_PHOTOS else "png"
        copy = report(
            paths.REPORT_FIGURE.format(run="{run}", figure=name, format=format),
            caption=f"../report/figure_{name}.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": stage, "figure": title},
        )
        copies.append(copy)
    return copies
