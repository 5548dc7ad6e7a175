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


def figures_of_run():
    """Return a run's figures, the PNG files of them shown in the report."""
    figures = []
    for name in FIGURES_OF_A_RUN:
        stage, title = FIGURE_LABELS[name]
        picture = report(
            paths.FIGURE.format(run="{run}", figure=name, format="png"),
            caption=f"../report/figure_{name}.rst",
            category="{run}",
            subcategory="Figures",
            labels={"stage": stage, "figure": title},
        )
        copies = job.config.figures.vector_copies
        figures += [picture, *(paths.FIGURE.format(run="{run}", figure=name, format=copy) for copy in copies)]
    return figures
