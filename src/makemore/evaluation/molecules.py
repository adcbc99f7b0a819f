"""The metrics of MOSES for generated SMILES strings: valid, unique and novel molecules.

Polykovskiy et al. 2020, section 4. Molecules are compared by their canonical SMILES. RDKit, an optional dependency,
parses the strings.
"""

from collections.abc import Collection, Sequence, Set
from typing import Any

UNIQUE_AT = 1000, 10_000  # valid samples, of which the share of distinct ones is a metric


def rdkit() -> Any:
    """RDKit's module of molecules, without its messages on invalid strings. Raises ValueError if it is missing."""
    try:
        from rdkit import Chem, RDLogger
    except ImportError:
        raise ValueError("RDKit is not installed; run `pip install '.[molecules]'`") from None
    RDLogger.DisableLog("rdApp.*")
    return Chem


def canonical(smiles: str, chem: Any) -> str | None:
    """The canonical SMILES of a molecule, or None if the string is not a valid molecule."""
    molecule = chem.MolFromSmiles(smiles) if smiles else None  # an empty string is a molecule without atoms
    return None if molecule is None else str(chem.MolToSmiles(molecule))


def score(samples: Sequence[str], train: Set[str], unique_at: Collection[int] = UNIQUE_AT) -> dict[str, float]:
    """The metrics of generated strings, as in MOSES.

    Args:
        samples: strings as the model generated them, in this order; none may be left out.
        train: canonical SMILES of the molecules to learn from.

    Returns:
        `samples`: their number; `valid`: the share that are valid molecules. `unique@k`: of the first k valid ones, or
        of all if there are fewer, the share of distinct ones. `novel`: of the distinct valid ones, the share that is
        not in train.
    """
    chem = rdkit()
    valid = [found for smiles in samples if (found := canonical(smiles, chem)) is not None]
    distinct = set(valid)
    result: dict[str, float] = {"samples": len(samples), "valid": len(valid) / len(samples)}
    for k in unique_at:
        first = valid[:k]
        result[f"unique@{k}"] = len(set(first)) / len(first) if first else 0.0
    result["novel"] = len(distinct - train) / len(distinct) if distinct else 0.0
    return result
