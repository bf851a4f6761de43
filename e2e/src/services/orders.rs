//! A small orders API: `GET /orders/{id}` and `GET /orders?customer=…&state=…`. `GET /slow/{ms}` answers late.

use super::{Body, Received, Service, json_answer};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// The API with its fixed data.
#[derive(Debug, Default)]
pub struct Orders;

fn orders() -> [Value; 3] {
    [
        json!({"id": 17, "customer": "ada@example.com", "state": "shipped", "total": "59.90",
               "items": ["keyboard"], "carrier": "postal", "expected": "2026-11-24"}),
        json!({"id": 18, "customer": "ada@example.com", "state": "open", "total": "12.50", "items": ["cable"]}),
        json!({"id": 23, "customer": "bob@example.com", "state": "delivered", "total": "899.00", "items": ["laptop"]}),
    ]
}

impl Service for Orders {
    async fn answer(&self, request: &Received) -> Option<Response<Body>> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        if let Some(millis) = path.strip_prefix("/slow/") {
            tokio::time::sleep(Duration::from_millis(millis.parse().ok()?)).await;
            return Some(json_answer(StatusCode::OK, &json!({"waited_ms": millis})));
        }
        if let Some(id) = path.strip_prefix("/orders/") {
            let order = orders().into_iter().find(|order| order["id"].as_u64() == id.parse().ok());
            let missing =
                || json_answer(StatusCode::NOT_FOUND, &json!({"error": format!("there is no order {id}")}));
            return Some(order.map_or_else(missing, |order| json_answer(StatusCode::OK, &order)));
        }
        (path == "/orders").then(|| json_answer(StatusCode::OK, &json!({"orders": matching(query)})))
    }
}

/// Orders whose fields equal every parameter of the query.
fn matching(query: &str) -> Vec<Value> {
    let wanted: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.replace("%40", "@")))
        .collect();
    orders()
        .into_iter()
        .filter(|order| wanted.iter().all(|(key, value)| order[key] == value.as_str()))
        .collect()
}
