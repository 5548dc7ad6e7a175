# Jobs in a container, where the command asks for it: --software-deployment-method apptainer.
from snakemake.settings.types import DeploymentMethod

from graft.planning import containers


def image_of_jobs():
    """Return the image that jobs run in; none unless the command asks for Apptainer, so that nothing changes without."""
    methods = workflow.deployment_settings.deployment_method
    if DeploymentMethod.APPTAINER not in methods:
        return None
    try:
        if DeploymentMethod.CONDA in methods:
            raise UserError("the image has every package itself: leave conda out of --software-deployment-method")
        if workflow.is_main_process:
            containers.check_image(job.config.container)
            containers.check_home(job)
        containers.SPARE.mkdir(parents=True, exist_ok=True)
        os.environ.update(containers.variables(job, [CHECKOUT, RESULTS], os.environ, Path.home()))
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    return job.config.container
