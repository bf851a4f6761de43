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
    #[error("{{{expression}}} is misplaced: {{?a,b}} begins the query, {{&a,b}} continues one")]
    MisplacedForm { expression: String },
    #[error("{text:?} stands behind a {{?…}}: only {{&a,b}} may, because the first may expand to nothing")]
    AfterForm { text: String },
    #[error("contains {character:?}, which URL parsers drop or read as '/'")]
    Character { character: char },
    #[error("{text:?} has a '%' that is not followed by two hexadecimal digits")]
    Percent { text: String },
    #[error("has a path segment '.' or '..'; write the path that is meant")]
    DotSegment,
    #[error("is not an absolute http or https URL: {reason}")]
    NotHttp { reason: String },
    #[error("carries a user name or password: put credentials in a header with secretRef")]
    UserInfo,
    #[error("has a fragment (#…), which is never sent")]
    Fragment,
}

pub(super) fn parse(source: &str) -> Result<UriTemplate, TemplateError> {
    check_characters(source)?;
    let path_at = path_start(source)?;
    let parts = split(source, path_at)?;
    check_literals(source, path_at, &parts)?;
    check_url(&parts)?;
    Ok(UriTemplate { source: source.to_owned(), path_at, parts })
}

/// URL parsers drop tabs and line breaks and read `\\` as `/`: with them the host is not where it seems to be.
fn check_characters(source: &str) -> Result<(), TemplateError> {
    match source.chars().find(|c| *c == '\\' || c.is_whitespace() || c.is_control()) {
        Some(character) => Err(TemplateError::Character { character }),
        None => Ok(()),
    }
}

/// Offset of the first `/`, `?` or `#` behind the authority: from there on expressions are allowed.
fn path_start(source: &str) -> Result<usize, TemplateError> {
    let not_http =
        || TemplateError::NotHttp { reason: "it does not start with http:// or https:// and a host".into() };
    let authority = ["http://", "https://"].into_iter().find(|scheme| source.starts_with(scheme));
    let authority = authority.ok_or_else(not_http)?.len();
    let rest = source.get(authority..).unwrap_or_default();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if end == 0 { Err(not_http()) } else { Ok(authority + end) }
}

fn split(source: &str, path_at: usize) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut query = Query::None;
    let mut rest = source;
    while !rest.is_empty() {
        let at = source.len() - rest.len();
        match rest.find(['{', '}']) {
            Some(0) if rest.starts_with('}') => return Err(TemplateError::Unopened { at }),
            Some(0) => {
                let end = rest.find('}').ok_or(TemplateError::Unclosed { at })?;
                let text = rest.get(1..end).unwrap_or_default();
                if at < path_at {
                    return Err(TemplateError::BeforePath { expression: text.into() });
                }
                parts.push(expression(text, &mut query)?);
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            found => {
                let (literal, tail) = rest.split_at(found.unwrap_or(rest.len()));
                query.pass(literal)?;
                parts.push(Part::Literal(literal.to_owned()));
                rest = tail;
            }
        }
    }
    Ok(parts)
}

/// Where in the URL the parser is: it decides which expressions make sense.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Query {
    /// Still in the path.
    None,
    /// Behind a `?` that is written out.
    Literal,
    /// Behind `{?…}`, which may have expanded to nothing: only `{&…}` may follow.
    Form,
}

impl Query {
    fn pass(&mut self, literal: &str) -> Result<(), TemplateError> {
        if *self == Self::Form {
            return Err(TemplateError::AfterForm { text: literal.into() });
        }
        if literal.contains('?') {
            *self = Self::Literal;
        }
        Ok(())
    }
}

fn check_literals(source: &str, path_at: usize, parts: &[Part]) -> Result<(), TemplateError> {
    let literals = parts.iter().filter_map(|part| match part {
        Part::Literal(text) => Some(text.as_str()),
        Part::Simple { .. } | Part::Form { .. } => None,
    });
    for text in literals {
        let mut escapes = text.split('%').skip(1);
        if !escapes.all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2) {
            return Err(TemplateError::Percent { text: text.into() });
        }
    }
    let path = source.get(path_at..).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    if path.split('/').any(super::is_dot_segment) {
        return Err(TemplateError::DotSegment);
    }
    Ok(())
}

fn expression(text: &str, query: &mut Query) -> Result<Part, TemplateError> {
    let error = || TemplateError::Expression { expression: text.to_owned() };
    let (lead, list) = match text.chars().next() {
        Some(lead @ ('?' | '&')) => (lead, text.get(1..).unwrap_or_default()),
        _ if *query == Query::Form => return Err(TemplateError::AfterForm { text: format!("{{{text}}}") }),
        _ if is_name(text) => {
            return Ok(Part::Simple { name: text.to_owned(), in_path: *query == Query::None });
        }
        _ => return Err(error()),
    };
    let variable = |item: &str| {
        let name = item.strip_suffix('*').unwrap_or(item);
        is_name(name).then(|| FormVariable { name: name.to_owned(), explode: item.ends_with('*') })
    };
    let variables = list.split(',').map(variable).collect::<Option<Vec<_>>>().ok_or_else(error)?;
    match (lead, *query) {
        ('?', Query::None) => *query = Query::Form,
        ('&', Query::Literal | Query::Form) => {}
        _ => return Err(TemplateError::MisplacedForm { expression: text.into() }),
    }
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
            Part::Simple { .. } => "x".into(),
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
