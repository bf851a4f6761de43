use super::super::{Document, Index};
use crate::catalog::merge::Target;
use mcpfleet_protocol::{Tool, json::JsonText};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

fn document(name: &str, description: &str) -> Document {
    let mut tool = Tool::new(name, JsonText::from(&json!({"type": "object", "properties": {}})));
    tool.description = Some(description.to_owned());
    Document::of(&tool, &Target::Upstream { upstream: "u".into(), key: "k".into() })
}

fn order(documents: &[Document], query: &str) -> Vec<usize> {
    let hits = Index::new(documents).search(query, &vec![true; documents.len()]);
    hits.iter().map(|hit| hit.document).collect()
}

#[test]
fn a_name_says_more_than_a_description() {
    let documents = [
        document("list_orders", "Shows what was bought; to delete one see delete_order"),
        document("delete_order", "Removes what was bought"),
        document("weather", "Forecast"),
    ];
    assert_eq!(order(&documents, "delete an order"), [1, 0]);
    assert_eq!(order(&documents, "forcast"), [2], "a letter may be missing");
    assert_eq!(order(&documents, "remove order")[0], 1, "other words for the same");
    assert_eq!(order(&documents, "weath"), [2], "the beginning of a word");
    assert_eq!(order(&documents, "the of and"), Vec::<usize>::new());
    assert_eq!(order(&[], "x"), Vec::<usize>::new());
}

const WORDS: [&str; 12] = [
    "create", "delete", "issue", "order", "file", "weather", "list", "message", "database", "repo", "find",
    "userName",
];

fn text(most: usize) -> impl Strategy<Value = String> {
    vec(
        prop_oneof![5 => prop::sample::select(WORDS.to_vec()).prop_map(String::from), 1 => any::<String>()],
        1..most,
    )
    .prop_map(|words| words.join(" "))
}

fn documents() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((text(4).prop_map(|name| name.replace(' ', "_")), text(12)), 1..20)
}

proptest! {
    #[test]
    fn what_a_caller_may_not_see_changes_nothing_for_him(
        tools in documents(), seen in vec(any::<bool>(), 20), query in text(6),
    ) {
        let all: Vec<Document> = tools.iter().map(|(name, text)| document(name, text)).collect();
        let visible: Vec<bool> = seen.into_iter().take(all.len()).collect();
        let own: Vec<(usize, &Document)> = all.iter().enumerate().filter(|(at, _)| visible[*at]).collect();
        let alone = Index::new(own.iter().map(|(_, document)| *document)).search(&query, &vec![true; own.len()]);
        let among = Index::new(&all).search(&query, &visible);
        let alone: Vec<(usize, f64)> = alone.iter().map(|hit| (own[hit.document].0, hit.score)).collect();
        let among: Vec<(usize, f64)> = among.iter().map(|hit| (hit.document, hit.score)).collect();
        prop_assert_eq!(alone, among);
    }

    #[test]
    fn every_tool_is_found_by_its_own_name(tools in documents()) {
        let all: Vec<Document> = tools.iter().map(|(name, text)| document(name, text)).collect();
        for (at, (name, _)) in tools.iter().enumerate() {
            let has_words = !super::super::words::terms(name, 100).is_empty();
            prop_assert_eq!(order(&all, name).contains(&at), has_words, "{}", name);
        }
    }

    #[test]
    fn any_query_has_an_answer_and_better_comes_first(tools in documents(), query in any::<String>()) {
        let all: Vec<Document> = tools.iter().map(|(name, text)| document(name, text)).collect();
        let hits = Index::new(&all).search(&query, &vec![true; all.len()]);
        prop_assert!(hits.iter().all(|hit| hit.score > 0.0 && hit.score.is_finite()));
        prop_assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
    }
}
