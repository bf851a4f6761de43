//! Which provider answers for a model. Today the one that names it; order, failover and budgets come beside this.

use mcpfleet_config::Provider;
use std::fmt;

/// How many models an error names.
const MAX_NAMED: usize = 20;

/// Longest part of a client's model name that an error repeats, in characters.
const MAX_ECHO: usize = 100;

/// Why no provider answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChooseError {
    /// None has a model of that name.
    UnknownModel {
        /// What was asked for, shortened.
        model: String,
        /// Those that there are, sorted, the first few.
        known: Vec<String>,
        /// How many more there are.
        more: usize,
    },
    /// There is none at all.
    NoProvider,
}

impl fmt::Display for ChooseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProvider => f.write_str(
                "no model provider is configured here; whoever runs this server must create a ProviderRoute that it selects",
            ),
            Self::UnknownModel { model, known, more } => {
                write!(f, "there is no model {model:?} here; there are {}", known.join(", "))?;
                if *more > 0 { write!(f, " and {more} more, see GET /v1/models") } else { Ok(()) }
            }
        }
    }
}

impl std::error::Error for ChooseError {}

/// The provider for `model`. Names are compared exactly, as providers do.
///
/// # Errors
/// [`ChooseError`], naming what there is.
pub fn choose<'p>(providers: &'p [Provider], model: &str) -> Result<&'p Provider, ChooseError> {
    let answers = |provider: &&Provider| provider.models.iter().any(|name| name == model);
    providers.iter().find(answers).ok_or_else(|| unknown(providers, model))
}

fn unknown(providers: &[Provider], model: &str) -> ChooseError {
    let mut known: Vec<String> = providers.iter().flat_map(|provider| provider.models.clone()).collect();
    if known.is_empty() {
        return ChooseError::NoProvider;
    }
    known.sort();
    known.dedup();
    let more = known.len().saturating_sub(MAX_NAMED);
    known.truncate(MAX_NAMED);
    ChooseError::UnknownModel { model: model.chars().take(MAX_ECHO).collect(), known, more }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_config::ProviderApi;

    fn provider(name: &str, models: &[&str]) -> Provider {
        Provider {
            route: "default".into(),
            name: name.into(),
            api: ProviderApi::OpenAI,
            base_url: "https://api.example.com/v1".into(),
            headers: Vec::new(),
            models: models.iter().map(|&model| model.to_owned()).collect(),
            timeout_ms: 1000,
        }
    }

    #[test]
    fn the_provider_that_names_the_model_answers() {
        let providers = [provider("a", &["small"]), provider("b", &["large", "huge"])];
        assert_eq!(choose(&providers, "huge").unwrap().name, "b");
        assert!(choose(&providers, "Huge").is_err());
    }

    #[test]
    fn a_refusal_names_what_there_is() {
        let providers = [provider("a", &["small"]), provider("b", &["large"])];
        let text = choose(&providers, "gpt").unwrap_err().to_string();
        assert_eq!(text, "there is no model \"gpt\" here; there are large, small");
        assert_eq!(choose(&[], "gpt"), Err(ChooseError::NoProvider));
    }

    #[test]
    fn a_refusal_is_bounded() {
        let names: Vec<String> = (0..50).map(|n| format!("m{n:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = choose(&[provider("a", &names)], &"x".repeat(10_000)).unwrap_err().to_string();
        assert!(text.len() < 500 && text.ends_with("and 30 more, see GET /v1/models"), "{text}");
    }
}
