//! The icons, drawn into the page (no request, no `data:`), always beside words and silent to screen readers. How they are
//! stroked stands in the stylesheet: a list of records has one in each line.

use std::fmt;

macro_rules! icons {
    ($($variant:ident = $file:literal),* $(,)?) => {
        /// One drawing of the vendored set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Icon { $($variant),* }

        impl Icon {
            const fn drawing(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../assets/vendor/icons/", $file, ".svg")),)*
                }
            }
        }
    };
}

icons! {
    Archive = "archive", Back = "arrow-left", Forward = "arrow-right", Bell = "bell", Charter = "book-open", Organisation = "building-2",
    Calendar = "calendar", Check = "check", Yes = "circle-check", Question = "circle-question-mark",
    No = "circle-x", Clock = "clock", Download = "download", Eye = "eye",     File = "file-text", Heart = "hand-heart", History = "history", Waiting = "hourglass", House = "house", Info = "info",
    Key = "key-round", Law = "landmark", Lock = "lock", Leave = "log-out", Message = "message-circle",
    Pause = "pause", Pencil = "pencil", Phone = "phone", Plus = "plus", Printer = "printer", Scale = "scale",
    Search = "search", Send = "send", Share = "share-2", Proof = "shield-check", Danger = "siren", Tent = "tent",
    Warning = "triangle-alert", Undo = "undo-2", Person = "user", Circle = "users", Pathway = "waypoints",
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<svg class=\"icon\" viewBox=\"0 0 24 24\" aria-hidden=\"true\">{}</svg>",
            self.drawing().trim_end()
        )
    }
}

// The drawings are ours, from the repository: nothing in them comes from a request.
impl askama::filters::HtmlSafe for Icon {}
