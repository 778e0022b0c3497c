//! Page and websocket.
