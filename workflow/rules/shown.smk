# Tables and figures of a run, as the report shows them.
def caption_of(name):
    """Return the caption of a table or a figure, in the words for several labels a photo where a run has these."""
    own = f"multilabel/{name}.rst"
    several = job.several and os.path.exists(os.path.join(workflow.basedir, "workflow", "report", own))
    return f"../report/{own if several else f'{name}.rst'}"


def table_in_report(path, caption, stage, table):
    """Return a table of a run as an output that the report shows."""
    return report(
        path,
        caption=caption_of(caption),
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
    "label_curves": ("last", "each label: ROC, precision and recall"),  # of several labels a photo
    "co_occurrence": ("last", "labels that stand together"),
}


# Figures that show photos. The report has them as JPEG, the others as PNG of few colours.
FIGURES_OF_PHOTOS = ("prediction_grid", "mistakes", "gradcam")


def pictures_of_summary():
    """Return the figures of every run that the report's first page shows."""
    of_one = ["mistakes", "confusion_matrix", "learning_curves"]
    shown = ["mistakes", "co_occurrence", "label_curves"] if job.several else of_one
    return collect(paths.FIGURE, run=job.runs, figure=shown, format="png")


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
            caption=caption_of(f"figure_{name}"),
            category="{run}",
            subcategory="Figures",
            labels={"stage": stage, "figure": title},
        )
        copies.append(copy)
    return copies
