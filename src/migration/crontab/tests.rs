//! Lines of crontabs, here and back.

mod exporting;
mod importing;
mod reading;
