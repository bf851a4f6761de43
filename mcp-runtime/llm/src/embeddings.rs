//! Texts to vectors in OpenAI's dialect: `POST /embeddings`. Pure.

use serde::{Deserialize, Serialize};

/// Most texts of one request.
pub const MAX_TEXTS: usize = 64;
/// Most numbers of one vector. The largest models give 4,096.
const MAX_DIMENSIONS: usize = 8_192;

/// Why an answer is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEmbeddings {
    /// It is no list of vectors.
    #[error("it is no list of embeddings")]
    Shape,
    /// Some text has no vector, or two.
    #[error("it has not one vector for each text")]
    Count,
    /// A vector is empty or too long, two differ in length, or one has no direction.
    #[error("it has a vector that cannot be compared")]
    Vector,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Response {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

/// The body of a request for these texts, at most [`MAX_TEXTS`].
pub fn request(model: &str, texts: &[String]) -> String {
    // Texts and a name: there is nothing in it that JSON cannot hold.
    serde_json::to_string(&Request { model, input: texts, encoding_format: "float" }).unwrap_or_default()
}

/// The vectors of an answer, in the order of the texts, each of length 1: their products are cosines.
///
/// # Errors
/// [`BadEmbeddings`].
pub fn read(body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>, BadEmbeddings> {
    let mut items = serde_json::from_slice::<Response>(body).map_err(|_| BadEmbeddings::Shape)?.data;
    items.sort_by_key(|item| item.index);
    let complete = items.len() == texts && items.iter().enumerate().all(|(at, item)| item.index == at);
    if !complete {
        return Err(BadEmbeddings::Count);
    }
    let length = items.first().map_or(0, |item| item.embedding.len());
    let alike =
        items.iter().all(|item| item.embedding.len() == length) && (1..=MAX_DIMENSIONS).contains(&length);
    let vectors = items.into_iter().map(|item| normal(item.embedding)).collect::<Option<Vec<_>>>();
    vectors.filter(|_| alike || texts == 0).ok_or(BadEmbeddings::Vector)
}

fn normal(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if !(length.is_finite() && length > 0.0) {
        return None;
    }
    for x in &mut vector {
        *x /= length;
    }
    Some(vector)
}

/// How alike two vectors are that were read from answers of one model; none when they are of different models.
pub fn cosine(a: &[f32], b: &[f32]) -> Option<f32> {
    (a.len() == b.len()).then(|| a.iter().zip(b).map(|(a, b)| a * b).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_in_the_order_of_the_texts_and_of_length_one() {
        let body =
            br#"{"object":"list","data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}]}"#;
        let vectors = read(body, 2).unwrap();
        assert_eq!(vectors, [vec![0.6, 0.8], vec![0.0, 1.0]]);
        assert_eq!(cosine(&vectors[0], &vectors[1]), Some(0.8));
        assert_eq!(cosine(&vectors[0], &[1.0]), None);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for (body, texts, why) in [
            ("{}", 1, BadEmbeddings::Shape),
            (r#"{"data":[]}"#, 1, BadEmbeddings::Count),
            (r#"{"data":[{"index":1,"embedding":[1]}]}"#, 1, BadEmbeddings::Count),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
                2,
                BadEmbeddings::Count,
            ),
            (r#"{"data":[{"index":0,"embedding":[]}]}"#, 1, BadEmbeddings::Vector),
            (r#"{"data":[{"index":0,"embedding":[0,0]}]}"#, 1, BadEmbeddings::Vector),
            (r#"{"data":[{"index":0,"embedding":[1e20]}]}"#, 1, BadEmbeddings::Vector),
            (
                r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,1]}]}"#,
                2,
                BadEmbeddings::Vector,
            ),
        ] {
            assert_eq!(read(body.as_bytes(), texts), Err(why), "{body}");
        }
    }

    #[test]
    fn a_request_names_the_model_and_all_texts() {
        let body = request("small", &["a \"b\"".to_owned()]);
        assert_eq!(body, r#"{"model":"small","input":["a \"b\""],"encoding_format":"float"}"#);
    }
}
