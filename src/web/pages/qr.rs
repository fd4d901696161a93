//! A QR code as a drawing in the page, so that a telephone reads the second factor. Nothing of it leaves the page.

use std::fmt;

use qrcode::{Color, QrCode};

/// The empty border that readers need.
const BORDER: usize = 4;

/// A drawing of a text; no drawing when the text is too long for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qr {
    side: usize,
    path: String,
}

impl Qr {
    /// Draws a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        use fmt::Write as _;
        let Ok(code) = QrCode::new(text.as_bytes()) else { return Self::default() };
        let width = code.width();
        let mut path = String::new();
        let dark = code.to_colors().into_iter().enumerate().filter(|(_, colour)| *colour == Color::Dark);
        for (at, _) in dark {
            let (x, y) = (at % width + BORDER, at / width + BORDER);
            let written = write!(path, "M{x} {y}h1v1h-1z");
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
        Self { side: width + 2 * BORDER, path }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.path.is_empty()
    }
}

impl fmt::Display for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, path } = self;
        write!(
            f,
            "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" width=\"220\" height=\"220\" role=\"img\" aria-label=\"QR code à photographier avec votre application de codes\" shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
        )
    }
}

// Numbers and letters of a path only: nothing of the text stands in the drawing as text.
impl askama::filters::HtmlSafe for Qr {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_drawn_and_one_that_is_too_long_is_not() {
        let drawn = Qr::of("otpauth://totp/Relais:a?secret=B\"><script>").to_string();
        assert!(drawn.starts_with("<svg class=\"qr\"") && !drawn.contains("script"));
        assert!(Qr::of(&"x".repeat(5000)).is_empty());
    }
}
