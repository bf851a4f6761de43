//! Arguments of the command.

use anyhow::Context as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use std::{path::PathBuf, time::Duration};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// MCP endpoint, such as `http://localhost:8080/mcp`.
    #[arg(value_parser = endpoint)]
    pub url: Url,
    /// Tool to call. Without it the tools are listed.
    pub tool: Option<String>,
    /// Arguments of the tool, a JSON object; `-` reads them from standard input.
    pub arguments: Option<String>,
    /// Header to send with every request, as `Name: value`. Can be given several times.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    pub header: Vec<(HeaderName, HeaderValue)>,
    /// Longest time for everything together, such as `500ms`, `30s` or `2m`.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    /// What is printed.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// PEM file with certificates to trust beside the public ones.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people: names and descriptions, or the text of a result.
    Text,
    /// For programs: what the server sent.
    Json,
}

impl Args {
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.header {
            headers.append(name.clone(), value.clone());
        }
        headers
    }

    pub(super) fn roots(&self) -> anyhow::Result<Vec<CertificateDer<'static>>> {
        let Some(path) = &self.ca_file else { return Ok(Vec::new()) };
        CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .with_context(|| format!("{} holds no certificates in PEM form", path.display()))
    }
}

fn endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; such as http://localhost:8080/mcp"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("{scheme} is neither http nor https")),
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `Name: value`")?;
    let name = name.trim().parse().map_err(|_| format!("{name:?} is no header name"))?;
    let mut value: HeaderValue =
        value.trim().parse().map_err(|_| "the value holds what no header can carry".to_owned())?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "write it as 500ms, 30s or 2m".to_owned())?;
    let duration = match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    };
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "write it as 500ms, 30s or 2m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for wrong in ["", "5", "s", "0s", "1h", "-1s", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_header_is_a_name_and_a_value_that_is_not_printed() {
        let (name, value) = header("Authorization: Bearer a:b").unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("authorization", "Bearer a:b"));
        assert!(!format!("{value:?}").contains("Bearer"));
        assert!(header("no colon").is_err() && header("b ad: x").is_err());
    }

    #[test]
    fn only_http_is_an_endpoint() {
        assert!(endpoint("http://localhost:8080/mcp").is_ok());
        assert!(
            endpoint("localhost:8080").is_err() && endpoint("ftp://x/").is_err() && endpoint("x").is_err()
        );
    }
}
