//! One ranking from two: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009). Scores of different rankings
//! cannot be compared; places can. Pure.

use super::index::Hit;
use std::collections::BTreeMap;

/// How little the first places stand out; the paper's value.
const SMOOTH: f64 = 60.0;

/// Both rankings as one; what stands in both comes before what stands in one. Equal ones in the order of the documents.
pub(super) fn fuse(words: &[Hit], meaning: &[Hit]) -> Vec<Hit> {
    let mut scores = BTreeMap::<usize, f64>::new();
    for ranking in [words, meaning] {
        let mut place = 0.0;
        for hit in ranking {
            place += 1.0;
            *scores.entry(hit.document).or_default() += 1.0 / (SMOOTH + place);
        }
    }
    let mut fused: Vec<Hit> = scores.into_iter().map(|(document, score)| Hit { document, score }).collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_know_comes_first() {
        let ranking = |documents: &[usize]| -> Vec<Hit> {
            documents.iter().map(|document| Hit { document: *document, score: 1.0 }).collect()
        };
        let order = |words: &[usize], meaning: &[usize]| -> Vec<usize> {
            fuse(&ranking(words), &ranking(meaning)).iter().map(|hit| hit.document).collect()
        };
        assert_eq!(order(&[1, 2, 3], &[4, 3, 5]), [3, 1, 4, 2, 5]);
        assert_eq!(order(&[7, 8], &[]), [7, 8]);
        assert_eq!(order(&[], &[]), Vec::<usize>::new());
    }
}
