"""Programs and people elsewhere: WebSocket, page, notifications, metrics; it never calls MT5."""
