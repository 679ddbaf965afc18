//! This run's figures over those of an earlier one.

use super::fault::mistake;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// Reads figures that `holdfast bench --json` wrote.
pub fn read(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path).map_err(|error| mistake(format!("{}: {error}", path.display())))?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| mistake(format!("{}: not the output of `holdfast bench --json`: {error}", path.display())))?;
    if value.get("frames_per_s").is_none() {
        return Err(mistake(format!("{}: has no frames_per_s; keep one with `holdfast bench --json`", path.display())));
    }
    Ok(value)
}

/// Each number of `now` over the same of `before`, where both have it and it is not zero; `a.b` for what lies deeper.
pub fn ratios(now: &Value, before: &Value) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    collect(now, before, String::new(), &mut found);
    found
}

fn collect(now: &Value, before: &Value, key: String, found: &mut BTreeMap<String, f64>) {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            for (name, now) in now.iter().filter(|(name, _)| *name != "ratios" && *name != "seed") {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                collect(now, before.get(name).unwrap_or(&Value::Null), key, found);
            }
        }
        _ => {
            if let (Some(now), Some(before)) = (now.as_f64(), before.as_f64())
                && before != 0.0
            {
                found.insert(key, (now / before * 1e3).round() / 1e3);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_both_have_is_compared() {
        let now = json!({"frames_per_s": 90.0, "stages": {"denoiser": 3.0, "new": 1.0}, "seed": 1, "device": "cpu"});
        let before = json!({"frames_per_s": 60.0, "stages": {"denoiser": 6.0}, "seed": 1, "device": "cpu"});
        let expected = [("frames_per_s".to_string(), 1.5), ("stages.denoiser".to_string(), 0.5)];
        assert_eq!(ratios(&now, &before), BTreeMap::from(expected));
    }
}
