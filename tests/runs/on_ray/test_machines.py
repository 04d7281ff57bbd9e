"""Workers on two machines of a cluster, here two nodes of Ray on one; and one of them is lost."""

import pytest

from promptkit.runs import EvalSpec
from promptkit.runs.predictor import predictor_of
from tests.ray_job import RayJob
from tests.runs.on_ray.test_killed import alone, write_csv

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster():
    """Two nodes of one processor each."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    cluster.shutdown()


def test_a_machine_lost_in_mid_job_changes_no_byte(home, cluster):
    other = cluster.add_node(num_cpus=1)
    write_csv(home, 600)
    alone(home, predictor_of(EvalSpec(template="sentiment_zero_shot")), "alone.csv")
    job = RayJob(home, "--data", "rows.csv", "-t", "sentiment_zero_shot", "--proba",
                 "--output", "together.csv", "--batch-rows", 16, "--workers", 2,
                 "--address", cluster.address)  # fmt: skip
    try:
        job.wait_for_blocks("together.csv", 3)
        cluster.remove_node(other, allow_graceful=False)
        assert job.process.poll() is None
        assert len(job.blocks("together.csv")) < 30  # of 38
        status, out, err = job.finish()
    finally:
        if job.process.poll() is None:
            job.end()
    assert (status, out) == (0, ""), err
    assert "600 rows in together.csv, 12 without an answer\n" in err
    assert (home / "together.csv").read_bytes() == (home / "alone.csv").read_bytes()
