//! Quantities of Kubernetes (`100m`, `64Mi`, `1e3`), compared by value: the server rewrites them.

/// Whether both are quantities of the same value.
pub(super) fn equal(left: &str, right: &str) -> bool {
    match (parse(left), parse(right)) {
        (Some(l), Some(r)) => (l - r).abs() <= f64::EPSILON * l.abs().max(r.abs()),
        _ => false,
    }
}

fn parse(text: &str) -> Option<f64> {
    let split =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let number: f64 = number.parse().ok()?;
    Some(number * factor(suffix)?)
}

fn factor(suffix: &str) -> Option<f64> {
    Some(match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0_f64.powi(2),
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        exponent => {
            let digits = exponent.strip_prefix(['e', 'E'])?;
            10_f64.powi(digits.parse().ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn values_count_not_spelling() {
        for (left, right) in
            [("1000m", "1"), ("1024Mi", "1Gi"), ("1e3", "1k"), ("0.5", "500m"), ("1E", "1e18")]
        {
            assert!(equal(left, right), "{left} {right}");
        }
        for (left, right) in [("1000m", "2"), ("1G", "1Gi"), ("x", "x"), ("", "")] {
            assert!(!equal(left, right), "{left} {right}");
        }
    }
}
