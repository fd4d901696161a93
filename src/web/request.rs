//! What comes in, taken apart: who knocks, from which site, with which headers and body.
//!
//! INVARIANT: a cookie alone never changes anything: an unsafe request under a cookie must come from our own pages
//! (SECURITY §4, CSRF). A bearer token is sent by programs on purpose, never by a browser by itself.
//!
//! It does not know whether a token is good: that is said by the snapshot of the request.

use std::pin::Pin;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::body::{BodyStream, MessageBody as _};
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{BytesMut, Payload};

use super::form::{self, Form};
use super::problem::edge;
use super::route::Method;
use crate::crypto::token::SessionToken;
use crate::domain::text::{EntryError, FieldErrors};
use crate::ids::AssignmentId;
use crate::service::ServiceError;

/// Bodies longer than this are refused.
pub const BODY_LIMIT: usize = 64 * 1024;
/// What is still read, and thrown away, of a refused body, so that the client gets to see the answer.
const DRAIN_LIMIT: usize = 16 * 1024 * 1024;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(10);

pub(super) const COOKIE: &str = "__Host-relais";
const IDEMPOTENCY: &str = "Idempotency-Key";
const ASSIGNMENT: &str = "Relais-Assignment";
const IF_MATCH: &str = "If-Match";

/// How the request carries its session.
pub enum Credential {
    Bearer(SessionToken),
    Cookie(SessionToken),
}

impl Credential {
    pub const fn token(&self) -> &SessionToken {
        match self {
            Self::Bearer(token) | Self::Cookie(token) => token,
        }
    }
}

/// The only value of a header; `Err` when there are several, or when it is not visible ASCII.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// The session token of a request. Anything doubtful is none.
pub fn credential(headers: &HeaderMap) -> Option<Credential> {
    match single(headers, header::AUTHORIZATION.as_str()) {
        Ok(Some(value)) => {
            let (scheme, token) = value.split_once(' ')?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return None;
            }
            SessionToken::parse(token.trim()).ok().map(Credential::Bearer)
        }
        Ok(None) => {
            let mut cookies = headers
                .get_all(header::COOKIE)
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(';'))
                .filter_map(|pair| pair.trim().split_once('='))
                .filter(|(name, _)| *name == COOKIE);
            match (cookies.next(), cookies.next()) {
                (Some((_, token)), None) => SessionToken::parse(token).ok().map(Credential::Cookie),
                (None, _) | (Some(_), Some(_)) => None,
            }
        }
        Err(()) => None,
    }
}

/// Whether an unsafe request under a cookie comes from one of our own pages.
///
/// THREAT: CSRF. `Sec-Fetch-Site` cannot be set by a page; where a browser does not send it, `Origin` must name the
/// host that was asked (`__Host-` cookies go to that host only). Neither of them: refused.
fn from_our_pages(
    fetch_site: Result<Option<&str>, ()>,
    origin: Result<Option<&str>, ()>,
    host: Option<&str>,
) -> bool {
    match (fetch_site, origin) {
        (Ok(Some(site)), Ok(_)) => site == "same-origin" || site == "none",
        (Ok(None), Ok(Some(origin))) => {
            matches!((origin.strip_prefix("https://"), host), (Some(from), Some(host)) if from.eq_ignore_ascii_case(host))
        }
        (Ok(None), Ok(None)) | (Err(()), _) | (_, Err(())) => false,
    }
}

fn host(request: &HttpRequest) -> Option<&str> {
    match single(request.headers(), header::HOST.as_str()) {
        Ok(Some(host)) => Some(host),
        Ok(None) => request.uri().authority().map(actix_web::http::uri::Authority::as_str),
        Err(()) => None,
    }
}

/// Refuses what a cookie may not do.
///
/// # Errors
/// 403 for an unsafe request that does not come from our own pages.
pub fn check_site(
    request: &HttpRequest,
    credential: &Credential,
    method: Method,
) -> Result<(), ServiceError> {
    let safe = match method {
        Method::Get => true,
        Method::Post | Method::Put | Method::Delete => false,
    };
    let headers = request.headers();
    let asked_on_purpose = matches!(credential, Credential::Bearer(_));
    let own = from_our_pages(
        single(headers, "Sec-Fetch-Site"),
        single(headers, header::ORIGIN.as_str()),
        host(request),
    );
    if safe || asked_on_purpose || own { Ok(()) } else { Err(cross_site()) }
}

fn cross_site() -> ServiceError {
    ServiceError::rule(
        edge::CROSS_SITE,
        "Cette demande ne vient pas d'une page de Relais : ouvrez Relais et recommencez depuis là.",
    )
}

/// Refuses a form that does not come from our own pages, with or without a session.
///
/// # Errors
/// 403.
pub fn check_page(request: &HttpRequest, method: Method) -> Result<(), ServiceError> {
    let headers = request.headers();
    let safe = match method {
        Method::Get => true,
        Method::Post | Method::Put | Method::Delete => false,
    };
    if safe
        || from_our_pages(
            single(headers, "Sec-Fetch-Site"),
            single(headers, header::ORIGIN.as_str()),
            host(request),
        )
    {
        Ok(())
    } else {
        Err(cross_site())
    }
}

/// Refuses a body that is not a form.
///
/// # Errors
/// 415.
pub fn check_form(headers: &HeaderMap, body: &[u8]) -> Result<(), ServiceError> {
    let form = match single(headers, header::CONTENT_TYPE.as_str()) {
        Ok(Some(media)) => media
            .split(';')
            .next()
            .is_some_and(|m| m.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")),
        Ok(None) | Err(()) => false,
    };
    if (form && !headers.contains_key(header::CONTENT_ENCODING)) || body.is_empty() {
        Ok(())
    } else {
        Err(ServiceError::rule(
            edge::BODY_NOT_JSON,
            "Cette page attend un formulaire de Relais : ouvrez la page et recommencez depuis là.",
        ))
    }
}

/// Headers that a request may carry beside its session.
#[derive(Default)]
pub struct Extras {
    pub assignment: Option<AssignmentId>,
    pub idempotency: Option<String>,
    pub if_match: Option<String>,
}

fn wrong(header: &str, expected: &'static str) -> ServiceError {
    FieldErrors::one(header, EntryError::WrongType { expected }).into()
}

fn assignment_of(name: &str, text: &str) -> Result<AssignmentId, ServiceError> {
    AssignmentId::parse(text).map_err(|_| wrong(name, "l'identifiant d'une affectation"))
}

fn key_of(name: &str, key: &str) -> Result<String, ServiceError> {
    if (1..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(key.to_owned())
    } else {
        Err(wrong(name, "1 à 64 caractères visibles, sans espace ni accent"))
    }
}

impl Extras {
    /// A form carries what the API's headers carry: the affectation that it was shown for, and a key so that pressing
    /// twice does once.
    ///
    /// # Errors
    /// 422 naming the field.
    pub fn of_form(&mut self, form: &Form) -> Result<(), ServiceError> {
        if let Some(text) = form.one(form::ASSIGNMENT) {
            self.assignment = Some(assignment_of(form::ASSIGNMENT, text)?);
        }
        if let Some(key) = form.one(form::ONCE) {
            self.idempotency = Some(key_of(form::ONCE, key)?);
        }
        Ok(())
    }
}

/// Reads them.
///
/// # Errors
/// 422 naming the header.
pub fn extras(headers: &HeaderMap) -> Result<Extras, ServiceError> {
    let one = |name: &'static str| {
        single(headers, name).map_err(|()| ServiceError::from(FieldErrors::one(name, EntryError::GivenTwice)))
    };
    let assignment = one(ASSIGNMENT)?.map(|text| assignment_of(ASSIGNMENT, text)).transpose()?;
    let idempotency = one(IDEMPOTENCY)?.map(|key| key_of(IDEMPOTENCY, key)).transpose()?;
    let if_match = match one(IF_MATCH)? {
        // Whatever is there: no condition.
        None | Some("*") => None,
        Some(tag) => {
            let inside = tag.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
            match inside {
                Some(inside) if tag.len() <= 64 && !inside.contains('"') => Some(tag.to_owned()),
                Some(_) | None => return Err(wrong(IF_MATCH, "la valeur de l'en-tête ETag, telle quelle")),
            }
        }
    };
    Ok(Extras { assignment, idempotency, if_match })
}

/// Refuses `If-Match` where nothing would be compared with it.
///
/// # Errors
/// 422 saying so.
pub fn check_if_match(headers: &HeaderMap, reads_it: bool) -> Result<(), ServiceError> {
    if reads_it || !headers.contains_key(IF_MATCH) {
        return Ok(());
    }
    Err(ServiceError::rule(
        edge::IF_MATCH_NOT_READ,
        "Cette adresse ne compare pas de version : rien n'a été enregistré. Retirez l'en-tête If-Match, puis recommencez.",
    ))
}

fn too_large() -> ServiceError {
    ServiceError::rule(
        edge::BODY_TOO_LARGE,
        "Cette demande dépasse 64 Kio : rien n'a été enregistré. Raccourcissez-la.",
    )
}

/// Reads the body, or what is left of it.
///
/// # Errors
/// Too large, too slow, or broken off.
pub async fn body(payload: Payload) -> Result<Vec<u8>, ServiceError> {
    let mut stream = BodyStream::new(payload);
    let mut kept = BytesMut::new();
    let mut seen = 0_usize;
    let reading = async {
        loop {
            match std::future::poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
                None => return Ok(()),
                Some(Err(_)) => {
                    return Err(ServiceError::rule(
                        edge::BODY_BROKEN,
                        "La demande est arrivée incomplète : recommencez.",
                    ));
                }
                Some(Ok(chunk)) => {
                    seen = seen.saturating_add(chunk.len());
                    if seen <= BODY_LIMIT {
                        kept.extend_from_slice(&chunk);
                    } else if seen > DRAIN_LIMIT {
                        return Err(too_large());
                    }
                }
            }
        }
    };
    match tokio::time::timeout(BODY_TIME, reading).await {
        Ok(Ok(())) if seen <= BODY_LIMIT => Ok(kept.to_vec()),
        Ok(Ok(())) => Err(too_large()),
        Ok(Err(e)) => Err(e),
        Err(_) => Err(ServiceError::rule(
            edge::BODY_TOO_SLOW,
            "La demande a mis trop de temps à arriver : vérifiez le réseau et recommencez.",
        )),
    }
}

/// Refuses a body that is not JSON, or that is not expected at all.
///
/// # Errors
/// 415, or 422.
pub fn check_body(headers: &HeaderMap, body: &[u8], expected: bool) -> Result<(), ServiceError> {
    if body.is_empty() {
        return Ok(());
    }
    let json = match single(headers, header::CONTENT_TYPE.as_str()) {
        Ok(Some(media)) => {
            let mut parts = media.split(';').map(str::trim);
            parts.next().is_some_and(|m| m.eq_ignore_ascii_case("application/json"))
                && parts.all(|p| p.eq_ignore_ascii_case("charset=utf-8"))
        }
        Ok(None) | Err(()) => false,
    };
    if !json || headers.contains_key(header::CONTENT_ENCODING) {
        return Err(ServiceError::rule(
            edge::BODY_NOT_JSON,
            "Le corps de la demande doit être du JSON non compressé, annoncé par l'en-tête Content-Type: application/json.",
        ));
    }
    // Many clients send `{}` with every POST.
    if !expected && body.trim_ascii() != b"{}" {
        return Err(ServiceError::rule(
            edge::BODY_UNEXPECTED,
            "Cette demande n'a pas de corps : retirez-le.",
        ));
    }
    Ok(())
}

/// The peer's network: an address, or the /64 that a household or an office shares. For sign-in delays only.
pub fn network(request: &HttpRequest) -> Option<String> {
    request.peer_addr().map(|peer| match peer.ip() {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemChance;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        map
    }

    #[test]
    fn a_token_is_found_where_it_belongs_and_doubt_is_none() {
        let token = SessionToken::generate(&SystemChance::new()).unwrap().reveal().to_string();
        let bearer = format!("Bearer {token}");
        let cookie = format!("a=b; __Host-relais={token}");
        assert!(matches!(credential(&headers(&[("authorization", &bearer)])), Some(Credential::Bearer(_))));
        assert!(matches!(
            credential(&headers(&[("authorization", &format!("bearer {token}"))])),
            Some(Credential::Bearer(_))
        ));
        assert!(matches!(credential(&headers(&[("cookie", &cookie)])), Some(Credential::Cookie(_))));
        for doubtful in [
            vec![],
            vec![("authorization", token.as_str())],
            vec![("authorization", "Basic eA==")],
            vec![("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
            // A broken header does not fall back to the cookie.
            vec![("authorization", "Bearer x"), ("cookie", cookie.as_str())],
            vec![("cookie", cookie.as_str()), ("cookie", cookie.as_str())],
            vec![("cookie", "__Host-relais=x")],
            vec![("cookie", "relais=x")],
        ] {
            assert!(credential(&headers(&doubtful)).is_none(), "{doubtful:?}");
        }
    }

    #[test]
    fn threat_csrf_every_combination_of_headers() {
        let sites = [
            Ok(None),
            Ok(Some("same-origin")),
            Ok(Some("none")),
            Ok(Some("same-site")),
            Ok(Some("cross-site")),
            Err(()),
        ];
        let ours = "https://pre.example:8443";
        let origins = [
            Ok(None),
            Ok(Some(ours)),
            Ok(Some("https://evil.example")),
            Ok(Some("http://pre.example:8443")),
            Ok(Some("null")),
            Err(()),
        ];
        for site in sites {
            for origin in origins {
                for host in [None, Some("pre.example:8443")] {
                    let expected = match (site, origin) {
                        (_, Err(())) => false,
                        (Ok(Some("same-origin" | "none")), _) => true,
                        (Ok(None), Ok(Some(o))) => o == ours && host.is_some(),
                        _ => false,
                    };
                    assert_eq!(from_our_pages(site, origin, host), expected, "{site:?} {origin:?} {host:?}");
                }
            }
        }
    }

    #[test]
    fn headers_are_bounded_and_given_once() {
        let read = |pairs: &[(&str, &str)]| extras(&headers(pairs));
        let all = read(&[("idempotency-key", "k-1"), ("if-match", "\"abc\"")]).unwrap();
        assert_eq!((all.idempotency.as_deref(), all.if_match.as_deref()), (Some("k-1"), Some("\"abc\"")));
        assert!(read(&[("if-match", "*")]).unwrap().if_match.is_none());
        let long = "x".repeat(65);
        for bad in [
            ("idempotency-key", ""),
            ("idempotency-key", long.as_str()),
            ("idempotency-key", "a b"),
            ("if-match", "abc"),
            ("if-match", "W/\"abc\""),
            ("if-match", "\"a\", \"b\""),
            ("relais-assignment", "x"),
        ] {
            assert!(matches!(read(&[bad]), Err(ServiceError::Invalid(_))), "{bad:?}");
        }
        assert!(read(&[("if-match", "\"a\""), ("if-match", "\"b\"")]).is_err());
    }

    #[test]
    fn a_body_is_json_or_nothing() {
        let json = headers(&[("content-type", "application/json; charset=utf-8")]);
        assert!(check_body(&json, b"{\"a\":1}", true).is_ok());
        assert!(check_body(&json, b" {} ", false).is_ok());
        assert!(check_body(&json, b"{\"a\":1}", false).is_err());
        assert!(check_body(&HeaderMap::new(), b"", true).is_ok());
        for media in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
            assert!(check_body(&headers(&[("content-type", media)]), b"{}", true).is_err(), "{media}");
        }
        assert!(check_body(&HeaderMap::new(), b"{}", true).is_err());
        let packed = headers(&[("content-type", "application/json"), ("content-encoding", "gzip")]);
        assert!(check_body(&packed, b"{}", true).is_err());
    }
}
