"""In what two manifests differ, of all that decides the bytes, in words."""

from shards.manifest import Manifest


def difference(found: Manifest, plan: Manifest) -> str:
    """Say in what `found` differs from `plan`, as 'seed (1, now 2), digit sources'."""
    parts = []
    for name in ("seed", "splits", "tools", "recipe", "part", "additions"):
        old, new = getattr(found, name), getattr(plan, name)
        if isinstance(old, dict):
            changed = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
            parts += [f"{name} {k} ({old.get(k)}, now {new.get(k)})" for k in changed]
        elif old != new:
            parts.append(f"{name} ({old}, now {new})")
    if [s["sha256"] for s in found.sources] != [s["sha256"] for s in plan.sources]:
        parts.append("digit sources")
    elif found.sources != plan.sources:
        parts.append("names, licences or writers of the digit sources")
    return ", ".join(parts) or "shard size"
