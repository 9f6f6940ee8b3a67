"""What is known of instance types: which keep what they store on disks of their own."""

from __future__ import annotations

import re

OWN_DISKS = frozenset(
    {
        *("dl1", "g5", "g6", "g6e", "g7", "g7e", "p5", "p5e", "p5en", "p6-b200", "p6-b300", "p6e-gb200"),
        *("trn1", "trn1n", "trn2"),
    }
)
"""The families of SageMaker with NVMe disks in the machine whose names do not say so.

Source: `InstanceStorageSupported` of EC2's DescribeInstanceTypes, and EC2's pages of accelerated computing instances.
"""

_SAYS_SO = re.compile(r"[a-z]+\d+[a-z]*d[a-z]*")
"""By EC2's naming conventions a `d` behind the generation is for instance store volumes: c5d, g4dn, m6gd, p4de."""


def has_own_disks(instance_type: str) -> bool:
    """Whether the disks of an instance type (`ml.g5.xlarge`) are in its machine, which encrypts them by itself.

    SageMaker gives such an instance no EBS volume, and takes no KMS key for it: "You can't request a VolumeKmsKeyId
    when using an instance type with local storage" (API reference: ResourceConfig, ProcessingClusterConfig,
    TransformResources).
    """
    family = instance_type.removeprefix("ml.").partition(".")[0]
    return family in OWN_DISKS or bool(_SAYS_SO.fullmatch(family.partition("-")[0]))
