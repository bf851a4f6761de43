//! Would another server let this caller in? Judged by what is known of its door, and of the credential that was good here.

use super::{Principal, oauth::claim_text};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mcpfleet_config::{Admitted, Neighbour, Strangers};
use serde_json::{Map, Value};

/// Whether a neighbour lets everybody in, or takes the access token that this caller came with. A key is good where it was
/// made only.
pub fn is_admitted(neighbour: &Neighbour, caller: &Principal) -> bool {
    neighbour.strangers == Strangers::Admitted
        || neighbour.issuers.iter().any(|door| takes(door, caller).unwrap_or(false))
}

fn takes(door: &Admitted, caller: &Principal) -> Option<bool> {
    if caller.issuer.as_ref() != Some(&door.issuer) {
        return Some(false);
    }
    let claims = claims(caller)?;
    let named = match claims.get("aud")? {
        Value::String(one) => door.audiences.contains(one),
        Value::Array(some) => {
            some.iter().filter_map(Value::as_str).any(|one| door.audiences.iter().any(|it| it == one))
        }
        _ => false,
    };
    Some(named && door.claims.iter().all(|claim| claim_text(&claims, claim).is_some()))
}

/// What the token says. It was verified at this server's door.
fn claims(caller: &Principal) -> Option<Map<String, Value>> {
    let token = &caller.token.as_ref()?.0;
    let payload = token.split(|byte| *byte == b'.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;
    use serde_json::json;

    fn caller(claims: &Value) -> Principal {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let issuer = claims["iss"].as_str().map(ToOwned::to_owned);
        Principal { issuer, token: Some(Secret(token.into_bytes())), ..Principal::default() }
    }

    fn neighbour(strangers: Strangers) -> Neighbour {
        let door = Admitted {
            issuer: "https://idp".into(),
            audiences: vec!["crm".into()],
            claims: vec!["org".into(), "sub".into()],
        };
        let (name, url) = ("agents/crm".into(), "http://crm.agents.svc/mcp".into());
        Neighbour { name, url, strangers, issuers: vec![door] }
    }

    #[test]
    fn a_token_opens_where_issuer_audience_and_claims_fit() {
        let shut = neighbour(Strangers::Refused);
        let good = json!({"iss": "https://idp", "aud": ["shop", "crm"], "sub": "a", "org": 7});
        assert!(is_admitted(&shut, &caller(&good)));
        for (claim, value) in [
            ("iss", json!("https://other")),
            ("aud", json!("shop")),
            ("org", json!("")),
            ("sub", Value::Null),
        ] {
            let mut claims = good.clone();
            claims[claim] = value;
            assert!(!is_admitted(&shut, &caller(&claims)), "{claim}");
        }
        let key = Principal { key: Some("k".into()), ..Principal::default() };
        assert!(!is_admitted(&shut, &key) && !is_admitted(&shut, &Principal::default()));
        assert!(is_admitted(&neighbour(Strangers::Admitted), &key));
    }
}
