# Which cached features of test-time views there are.
from graft.config.keys import views_key


def views_of_run(wildcards):
    """Return the cached features of a run's test-time views; nothing where predictions use none."""
    viewed = job.run(wildcards.run).viewed
    return [paths.TEST_VIEWS.format(dataset=job.dataset_of(wildcards.run), views=views_key(viewed))] if viewed else []


def pixels_of_views(wildcards):
    """Return the packed pixels that test-time views are drawn from."""
    size = job.viewed(wildcards.views).embedding.backbone.size
    return paths.PIXELS.format(dataset=wildcards.dataset, size=size, fit=fit_of(wildcards.dataset))


def weights_of_views(wildcards):
    """Return the backbone's weights that test-time views are embedded with."""
    return paths.WEIGHTS.format(backbone=backbone_key(job.viewed(wildcards.views).embedding.backbone))
