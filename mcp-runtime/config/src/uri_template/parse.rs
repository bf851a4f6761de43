//! Text to template.

use super::{FormVariable, Part, UriTemplate};
use url::Url;

/// Why a text is no usable template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum TemplateError {
    #[error("'{{' at character {at} is never closed")]
    Unclosed { at: usize },
    #[error("'}}' at character {at} closes nothing")]
    Unopened { at: usize },
    #[error(
        "{{{expression}}} is not understood: use {{name}}, {{?a,b}} or {{&a,b}} with names of letters, digits and '_'"
    )]
    Expression { expression: String },
    #[error("{{{expression}}} stands before the path: scheme, host and port are fixed text")]
    BeforePath { expression: String },
    #[error("is not an absolute http or https URL: {reason}")]
    NotHttp { reason: String },
    #[error("carries a user name or password: put credentials in a header with secretRef")]
    UserInfo,
    #[error("has a fragment (#…), which is never sent")]
    Fragment,
}

pub(super) fn parse(source: &str) -> Result<UriTemplate, TemplateError> {
    let parts = split(source)?;
    let path_at = path_start(source);
    let mut offset = 0;
    for part in &parts {
        if let Part::Literal(text) = part {
            offset += text.len();
            continue;
        }
        let expression = expression_at(source, offset);
        if offset <= path_at {
            return Err(TemplateError::BeforePath { expression: expression.into() });
        }
        offset += expression.len() + 2;
    }
    check_url(&parts)?;
    Ok(UriTemplate { source: source.to_owned(), parts })
}

/// Offset of the first `/`, `?` or `#` behind the authority: from there on expressions are allowed.
fn path_start(source: &str) -> usize {
    let authority = source.find("://").map_or(0, |at| at + 3);
    let rest = source.get(authority..).unwrap_or_default();
    rest.find(['/', '?', '#']).map_or(source.len(), |at| authority + at)
}

fn expression_at(source: &str, offset: usize) -> &str {
    let inner = source.get(offset + 1..).unwrap_or_default();
    inner.split('}').next().unwrap_or_default()
}

fn split(source: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        let at = source.len() - rest.len();
        match rest.find(['{', '}']) {
            None => {
                parts.push(Part::Literal(rest.to_owned()));
                break;
            }
            Some(0) if rest.starts_with('}') => return Err(TemplateError::Unopened { at }),
            Some(0) => {
                let end = rest.find('}').ok_or(TemplateError::Unclosed { at })?;
                parts.push(expression(rest.get(1..end).unwrap_or_default())?);
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            Some(next) => {
                let (literal, tail) = rest.split_at(next);
                parts.push(Part::Literal(literal.to_owned()));
                rest = tail;
            }
        }
    }
    Ok(parts)
}

fn expression(text: &str) -> Result<Part, TemplateError> {
    let error = || TemplateError::Expression { expression: text.to_owned() };
    let (lead, list) = match text.chars().next() {
        Some(lead @ ('?' | '&')) => (Some(lead), text.get(1..).unwrap_or_default()),
        _ => (None, text),
    };
    let Some(lead) = lead else {
        return if is_name(list) { Ok(Part::Simple(list.to_owned())) } else { Err(error()) };
    };
    let variable = |item: &str| {
        let name = item.strip_suffix('*').unwrap_or(item);
        is_name(name).then(|| FormVariable { name: name.to_owned(), explode: item.ends_with('*') })
    };
    let variables = list.split(',').map(variable).collect::<Option<Vec<_>>>().ok_or_else(error)?;
    Ok(Part::Form { lead, variables })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The template with each expression replaced by a harmless sample must be a URL of ours.
fn check_url(parts: &[Part]) -> Result<(), TemplateError> {
    let sample: String = parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Simple(_) => "x".into(),
            Part::Form { lead, .. } => format!("{lead}x=x"),
        })
        .collect();
    let url = Url::parse(&sample).map_err(|e| TemplateError::NotHttp { reason: e.to_string() })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(TemplateError::NotHttp { reason: format!("its scheme is {}", url.scheme()) });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TemplateError::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(TemplateError::Fragment);
    }
    Ok(())
}
