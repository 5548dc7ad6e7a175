# Graft: a head grafted on a pretrained network, trained, fine-tuned, and judged.
from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/averaging.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/competitions.smk"
include: "workflow/rules/exports.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/sweeps.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        results_of_all_runs,
        results_of_sweeps,
        exports_of_all_runs,
        answers_to_unlabelled,
