//! Ranking by words: BM25 over weighted fields (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and
//! Beyond", 2009, section 3.6: simple BM25F). Pure.
//!
//! A caller's ranking depends on what he may see and on nothing else: how rare a term is, and how long texts are, is
//! counted over his tools. Else a score would tell of a tool that he may not know of.

use super::{
    document::{Document, FIELDS},
    kin::kin,
    words::terms,
};
use std::{collections::BTreeMap, ops::Bound};

/// What a hit in each field counts: name, title, examples, description, parameters, and what those say.
const WEIGHTS: [f64; FIELDS] = [3.5, 2.5, 1.5, 1.5, 0.6, 0.3];
/// How much a long field counts less.
const LENGTH: [f64; FIELDS] = [0.4, 0.4, 0.6, 0.6, 0.7, 0.7];
/// How soon more hits of a term count no more.
const SATURATION: f64 = 1.2;
/// Most terms of a query.
const MAX_QUERY: usize = 32;
/// Most words that the beginning of a word stands for.
const MAX_COMPLETIONS: usize = 16;
/// What a hit counts of a word that means the same, that begins so, that is almost written so.
const KIN: f64 = 0.5;
const BEGINS: f64 = 0.3;
const ALMOST: f64 = 0.5;
/// Shortest beginning, and shortest word in which a letter may be wrong, in characters.
const MIN_BEGINNING: usize = 4;
const MIN_TYPO: usize = 5;

/// Every term of every document.
#[derive(Debug, Default)]
pub struct Index {
    terms: BTreeMap<String, Vec<Posting>>,
    /// Terms in each field of each document.
    lengths: Vec<[u16; FIELDS]>,
}

#[derive(Clone, Copy, Debug)]
struct Posting {
    document: usize,
    counts: [u16; FIELDS],
}

/// A document that has something of the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its place among the documents.
    pub document: usize,
    /// How well it fits; above 0, comparable within one search only.
    pub score: f64,
}

/// What is true of the documents that a caller may see.
struct View<'a> {
    visible: &'a [bool],
    count: f64,
    /// Average length of each field.
    average: [f64; FIELDS],
}

impl Index {
    /// An index of these documents.
    pub fn new<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Self {
        let mut index = Self::default();
        for (at, document) in documents.into_iter().enumerate() {
            let fields = document.fields();
            index.lengths.push(fields.each_ref().map(|terms| u16::try_from(terms.len()).unwrap_or(u16::MAX)));
            for (field, terms) in fields.into_iter().enumerate() {
                for term in terms {
                    index.count(term, at, field);
                }
            }
        }
        index
    }

    fn count(&mut self, term: String, document: usize, field: usize) {
        let postings = self.terms.entry(term).or_default();
        if postings.last().is_none_or(|last| last.document != document) {
            postings.push(Posting { document, counts: [0; FIELDS] });
        }
        if let Some(count) = postings.last_mut().and_then(|last| last.counts.get_mut(field)) {
            *count = count.saturating_add(1);
        }
    }

    /// The visible documents that have something of the query, the best first; equal ones in their own order. `visible`
    /// has an element for each document.
    pub fn search(&self, query: &str, visible: &[bool]) -> Vec<Hit> {
        let mut words = terms(query, MAX_QUERY);
        words.sort();
        words.dedup();
        let view = self.view(visible);
        let mut sums: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
        for word in &words {
            for (document, score) in self.contributions(word, &view) {
                let (sum, matched) = sums.entry(document).or_default();
                *sum += score;
                *matched += 1;
            }
        }
        let whole = count(words.len());
        // Rather all words of a query than one of them well.
        let score = |(sum, matched): (f64, usize)| sum * count(matched) / whole;
        let hits = sums.into_iter().map(|(document, sum)| Hit { document, score: score(sum) });
        let mut hits: Vec<Hit> = hits.collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits
    }

    fn view<'a>(&self, visible: &'a [bool]) -> View<'a> {
        let mut view = View { visible, count: 0.0, average: [0.0; FIELDS] };
        for (lengths, _) in self.lengths.iter().zip(visible).filter(|(_, seen)| **seen) {
            view.count += 1.0;
            for (sum, length) in view.average.iter_mut().zip(lengths) {
                *sum += f64::from(*length);
            }
        }
        for sum in &mut view.average {
            *sum /= view.count.max(1.0);
        }
        view
    }

    /// What one word of the query gives each document: the best of its readings, so that one that has the word and its
    /// kin is not found twice.
    fn contributions(&self, word: &str, view: &View<'_>) -> BTreeMap<usize, f64> {
        let mut best = BTreeMap::<usize, f64>::new();
        for (term, weight) in self.readings(word, view) {
            let seen: Vec<&Posting> = self.seen(term, view).collect();
            let rarity = rarity(count(seen.len()), view.count);
            for posting in seen {
                let score = weight * rarity * self.frequency(posting, view);
                let entry = best.entry(posting.document).or_default();
                *entry = entry.max(score);
            }
        }
        best
    }

    fn seen<'a>(&'a self, term: &str, view: &View<'a>) -> impl Iterator<Item = &'a Posting> + use<'a> {
        let postings = self.terms.get(term).map_or(&[][..], Vec::as_slice);
        let visible = view.visible;
        postings.iter().filter(move |posting| visible.get(posting.document).is_some_and(|seen| *seen))
    }

    fn frequency(&self, posting: &Posting, view: &View<'_>) -> f64 {
        let Some(lengths) = self.lengths.get(posting.document) else { return 0.0 };
        let fields = posting.counts.iter().zip(lengths).zip(view.average).zip(WEIGHTS.iter().zip(LENGTH));
        let weighted: f64 = fields
            .map(|(((count, length), average), (weight, part))| {
                let relative = f64::from(*length) / average.max(f64::MIN_POSITIVE);
                weight * f64::from(*count) / (1.0 - part + part * relative)
            })
            .sum();
        weighted / (SATURATION + weighted)
    }

    /// The terms that a word may stand for, each with what a hit counts.
    fn readings<'a>(&'a self, word: &'a str, view: &View<'_>) -> Vec<(&'a str, f64)> {
        let is_seen = |term: &str| self.seen(term, view).next().is_some();
        let mut readings = vec![(word, 1.0)];
        readings.extend(kin(word).iter().map(|kin| (kin.as_str(), KIN)));
        if word.chars().count() >= MIN_BEGINNING {
            let after = (Bound::Excluded(word), Bound::Unbounded);
            let longer = self.terms.range::<str, _>(after).map(|(term, _)| term.as_str());
            let longer = longer.take_while(|term| term.starts_with(word)).filter(|term| is_seen(term));
            readings.extend(longer.take(MAX_COMPLETIONS).map(|term| (term, BEGINS)));
        }
        let known = readings.iter().any(|(term, _)| is_seen(term));
        if !known && word.chars().count() >= MIN_TYPO {
            let close = self.terms.keys().filter(|term| is_one_edit(word, term) && is_seen(term));
            readings.extend(close.take(MAX_COMPLETIONS).map(|term| (term.as_str(), ALMOST)));
        }
        readings
    }
}

/// Inverse document frequency that is never negative.
fn rarity(with: f64, all: f64) -> f64 {
    (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
}

#[allow(clippy::cast_precision_loss, reason = "catalogues are far smaller than what a float counts exactly")]
fn count(of: usize) -> f64 {
    of as f64
}

/// Whether one is the other but for one character that is missing, changed, or in the place of its neighbour.
fn is_one_edit(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let front = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (rest, others) = (one.get(front..).unwrap_or_default(), other.get(front..).unwrap_or_default());
    let tail = |skip: usize, from: usize| rest.get(skip..) == others.get(from..);
    let swapped = || rest.first() == others.get(1) && rest.get(1) == others.first() && tail(2, 2);
    tail(1, 1) || tail(0, 1) || tail(1, 0) || (rest.len() > 1 && swapped())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_letter_is_forgiven_and_two_are_not() {
        for close in ["wether", "weathre", "weatherr", "weither", "weather", "eather"] {
            assert!(is_one_edit(close, "weather"), "{close}");
        }
        for far in ["wethr", "water", "", "weathers!", "ewathre"] {
            assert!(!is_one_edit(far, "weather"), "{far}");
        }
        assert!(is_one_edit("ä", "") && !is_one_edit("ab", "ba!"));
    }
}
