"""How the local AWS says no."""


class AwsError(Exception):
    """An answer that an AWS client gets as a `ClientError`.

    `code` is AWS's own ("ValidationException"), `message` a sentence, `status` the HTTP status;
    `members` are what the error's shape has besides (`ModelError`: OriginalStatusCode, OriginalMessage).
    """

    def __init__(self, code: str, message: str, status: int = 400, **members: object) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class StartError(Exception):
    """The local AWS cannot start; the message says why and what to do."""
