"""From an answer's bytes to rows, or to the exception that fits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from MimecastConstants import GET_ACCOUNT, Endpoint
from MimecastEnvelope import MAX_REASON_CHARS, Envelope, is_envelope, read_document, read_envelope
from MimecastExceptions import (
    AccessKeyExpiredError,
    AuthenticationError,
    MimecastError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TokenExpiredError,
    ValidationError,
)
from tests.managers.fakes import ANSWER_TEXT

ENDPOINT = Endpoint("/api/some/function", "Some | Right | Read")
REQUEST_ID = "5f0c0a52-9e7b-4c55-8a2c-0f35f7f5a111"
EXPIRED = (
    "The Access Key has expired. Create new keys in Mimecast, with an authentication profile whose "
    '"Authentication Cache TTL" never expires, and put them into the configuration.'
)
WRONG = "Mimecast doesn't accept the credentials. Check the keys, and that the API Root is your account's region."
LACKING = (
    "The credentials lack a permission: check the role and, for API 2.0, the application's products. "
    'It needs "Some | Right | Read"; /api/some/function was called.'
)


def read(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Envelope:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_envelope(status, CaseInsensitiveDict(headers or {}), content, ENDPOINT)


def failure(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> MimecastError:
    with pytest.raises(MimecastError) as caught:
        read(document, status, headers)
    return caught.value


def function_failure(*errors: dict[str, Any], status: int = 200, data: Any = ()) -> dict[str, Any]:
    """Shape 1: what a function says."""
    return {"meta": {"status": status}, "data": list(data), "fail": [{"key": {"id": "x"}, "errors": list(errors)}]}


def gateway_failure(code: str, message: str) -> dict[str, Any]:
    """Shape 2: what the gateway says."""
    return {"fail": [{"code": code, "message": message}]}


# --- success ----------------------------------------------------------------------------------------------------------


def test_the_rows_of_a_good_answer() -> None:
    envelope = read({"meta": {"status": 200}, "data": [{"id": "1"}, {"id": "2"}], "fail": []})
    assert envelope.rows == ({"id": "1"}, {"id": "2"})
    assert (envelope.next_token, envelope.total) == (None, None)


def test_the_token_of_the_next_page_and_the_total() -> None:
    pagination = {"pageSize": 100, "totalCount": 230, "next": "token-of-page-2", "previous": "token-of-page-0"}
    envelope = read({"meta": {"status": 200, "pagination": pagination}, "data": [], "fail": []})
    assert (envelope.next_token, envelope.total) == ("token-of-page-2", 230)


@pytest.mark.parametrize("pagination", [None, [], "x", {}, {"next": None}, {"next": ""}, {"next": 5}, {"next": ["a"]}])
def test_without_a_readable_next_token_there_is_no_next_page(pagination: Any) -> None:
    assert read({"meta": {"status": 200, "pagination": pagination}, "data": []}).next_token is None


@pytest.mark.parametrize("meta", [None, [], "x", {}, {"status": "200"}, {"status": None}, {"status": 201}])
def test_an_odd_meta_block_does_no_harm(meta: Any) -> None:
    assert read({"meta": meta, "data": [{"id": "1"}]}).rows == ({"id": "1"},)


@pytest.mark.parametrize("fail", [[], None, {}, "", 0])
def test_an_empty_fail_of_any_type_is_no_failure(fail: Any) -> None:
    assert read({"data": [{"id": "1"}], "fail": fail}).rows == ({"id": "1"},)


@pytest.mark.parametrize("data", [None, {}, {"id": "1"}, "text", 5, []])
def test_data_that_is_missing_or_no_list_has_no_rows(data: Any) -> None:
    assert read({"meta": {"status": 200}, "data": data, "fail": []}).rows == ()


def test_an_envelope_without_data_has_no_rows() -> None:
    assert read({"meta": {"status": 200}, "fail": []}).rows == ()


def test_rows_that_are_no_objects_are_left_out() -> None:
    assert read({"data": [None, {"id": "1"}, "text", 5, ["x"], {"id": "2"}]}).rows == ({"id": "1"}, {"id": "2"})


def test_a_byte_order_mark_and_blanks_around_do_no_harm() -> None:
    assert read(b'\xef\xbb\xbf  {"data": [{"id": "\xc3\xa4"}]}\r\n').rows == ({"id": "ä"},)


# --- 200 is not success -----------------------------------------------------------------------------------------------


def test_a_functions_message_is_passed_on_word_for_word() -> None:
    error = failure(function_failure({"code": "err_validation_null", "message": "Field id cannot be null"}))
    assert type(error) is ValidationError
    assert str(error) == error.message == "Field id cannot be null"


def test_a_functions_error_keeps_its_code_field_and_hint() -> None:
    detail = {"code": "err_validation_null", "message": "a text", "field": "id", "retryable": True}
    error = failure(function_failure(detail), headers={"X-Request-Id": REQUEST_ID})
    assert (error.code, error.field, error.retryable) == ("err_validation_null", "id", True)
    assert (error.status, error.request_id) == (200, REQUEST_ID)


def test_several_messages_of_a_function_are_all_passed_on_each_once() -> None:
    document = {
        "fail": [
            {"errors": [{"code": "a", "message": "First."}, {"code": "b", "message": "Second."}]},
            {"errors": [{"code": "a", "message": "First."}, {"code": "c"}]},
        ]
    }
    assert failure(document).message == "First.; Second.; c"


def test_a_function_that_gives_a_code_only_is_quoted_by_its_code() -> None:
    assert failure(function_failure({"code": "err_managed_url_exists_code"})).message == "err_managed_url_exists_code"


def test_the_gateways_shape_comes_with_what_to_do() -> None:
    error = failure(gateway_failure("some_code", "Some text"))
    assert type(error) is ValidationError
    assert error.message == "Mimecast refused the request. Mimecast says: Some text"
    assert error.code == "some_code"


def test_rows_beside_a_failure_do_not_make_it_a_success() -> None:
    document = function_failure({"code": "err", "message": "One of two failed"}, data=[{"id": "1", "release": True}])
    assert failure(document).message == "One of two failed"


def test_a_failure_counts_although_meta_says_200() -> None:
    assert failure({"meta": {"status": 200}, "data": [], "fail": [{"errors": [{"message": "No"}]}]}).message == "No"


def test_metas_status_counts_although_http_and_fail_say_nothing() -> None:
    error = failure({"meta": {"status": 403, "message": "Not for you"}, "data": [], "fail": []})
    assert type(error) is PermissionDeniedError
    assert error.message == f"{LACKING} Mimecast says: Not for you"
    assert error.status == 403


def test_metas_status_500_inside_of_a_200_is_a_server_error() -> None:
    assert type(failure({"meta": {"status": 500}, "data": []})) is ServerError


def test_metas_status_429_inside_of_a_200_is_a_used_up_quota() -> None:
    assert type(failure({"meta": {"status": 429}, "data": []})) is RateLimitedError


@pytest.mark.parametrize(
    "fail",
    [["text"], [None], "text", {"code": "x", "message": "y"}, 1, True, [[]], [{}], [{"errors": []}], [{"errors": "x"}]],
)
def test_a_fail_of_an_unknown_shape_is_a_failure_all_the_same(fail: Any) -> None:
    error = failure({"meta": {"status": 200}, "data": [{"id": "1"}], "fail": fail})
    assert type(error) is ValidationError
    assert error.message == "Mimecast refused the request."


@pytest.mark.parametrize("errors", [["text"], "text", {"code": "x"}])
def test_errors_of_an_unknown_shape_are_a_failure_too(errors: Any) -> None:
    assert failure({"data": [{"id": "1"}], "errors": errors}).message == "Mimecast refused the request."


def test_odd_types_inside_of_an_error_do_no_harm() -> None:
    error = failure(function_failure({"code": 7, "message": ["a", "b"], "field": {"x": 1}, "retryable": "yes"}))
    assert (error.message, error.code, error.retryable) == ("['a', 'b']", "7", False)


def test_a_page_of_text_is_cut() -> None:
    error = failure(function_failure({"message": "word \n " * 1000}))
    assert len(error.message) == MAX_REASON_CHARS
    assert error.message.startswith("word word word")


def test_the_errors_list_of_newer_functions() -> None:
    error = failure({"errors": [{"code": "invalid", "message": "No such policy", "field": "id"}]}, status=400)
    assert type(error) is ValidationError
    assert error.message == "Mimecast refused the request (HTTP 400). Mimecast says: No such policy"
    assert error.field == "id"


def test_the_error_of_the_token_endpoint() -> None:
    error = failure({"error": "unsupported_grant_type", "error_description": "Unsupported grant type"}, status=400)
    assert error.message == "Mimecast refused the request (HTTP 400). Mimecast says: Unsupported grant type"
    assert error.code == "unsupported_grant_type"


# --- what can't be read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "an empty answer"),
        (b" \r\n ", "an empty answer"),
        (b"<!DOCTYPE html><html>Sign in</html>", "a web page instead of JSON"),
        (b"\n <html></html>", "a web page instead of JSON"),
        (b'{"meta": {"status": 200}, "data": [{"id": "', "an answer that is no complete JSON document"),
        (b"OK", "an answer that is no complete JSON document"),
        (b"[]", "an answer that is no complete JSON document"),
        (b"null", "an answer that is no complete JSON document"),
        (b"\xff\xfe\x00", "an answer that is no complete JSON document"),
        (b"[" * 100_000, "an answer that is no complete JSON document"),
    ],
    ids=["empty", "blank", "page", "page after blanks", "torn", "text", "list", "null", "binary", "deep"],
)
def test_a_200_that_can_not_be_read_is_a_server_error_that_says_why(content: bytes, what: str) -> None:
    error = failure(content, headers={"x-request-id": REQUEST_ID})
    assert type(error) is ServerError
    assert error.message == (
        f'Mimecast, or something on the way to it, gave {what} (HTTP 200). Check "API Root" and the proxy.'
    )
    assert error.request_id == REQUEST_ID


@pytest.mark.parametrize("document", [{}, {"message": "hello"}, {"id": "1"}, {"access_token": "x"}])
def test_json_that_is_no_envelope_is_not_taken_for_an_answer_without_rows(document: Any) -> None:
    error = failure(document)
    assert type(error) is ServerError
    assert error.message == 'What came is JSON, but no answer of Mimecast\'s. Check "API Root" and the proxy.'


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("content", [b"", b"<html></html>", b"{}", b'{"data": [{"id": "1"}]}'])
def test_a_redirect_is_not_an_answer_whatever_its_body(status: int, content: bytes) -> None:
    error = failure(content, status=status)
    assert type(error) is ServerError
    assert error.message == (
        f'The address in "API Root" redirects elsewhere (HTTP {status}). Use the API Root of your region, and '
        "check whether a proxy asks for a login."
    )


@pytest.mark.parametrize("content", [b"", b"<html>no</html>", b"{}", b'{"fail": [{"code": "x"}]}', b"torn"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ValidationError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, ValidationError),
        (409, ValidationError),
        (418, AccessKeyExpiredError),
        (429, RateLimitedError),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
        (504, ServerError),
        (509, ServerError),
    ],
)
def test_the_class_for_each_status_whatever_the_body(status: int, kind: type[MimecastError], content: bytes) -> None:
    error = failure(content, status=status, headers={"x-request-id": REQUEST_ID})
    assert type(error) is kind
    assert (error.status, error.request_id) == (status, REQUEST_ID)
    assert error.message


def test_the_body_of_a_page_is_never_quoted() -> None:
    for status in (200, 302, 403, 404, 429, 500, 503):
        assert ANSWER_TEXT not in failure(f"<html>{ANSWER_TEXT}</html>".encode(), status=status).message


# --- credentials ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["token_expired", "token_verification_failed"])
def test_a_token_that_is_no_longer_accepted(code: str) -> None:
    error = failure(gateway_failure(code, "Token has expired"), status=401)
    assert type(error) is TokenExpiredError
    assert error.message == "Mimecast no longer accepts the access token. Mimecast says: Token has expired"


def test_wrong_keys() -> None:
    error = failure(gateway_failure("InvalidClientIdentifier", "Client credentials are invalid"), status=401)
    assert type(error) is AuthenticationError
    assert error.message == f"{WRONG} Mimecast says: Client credentials are invalid"


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"{}"])
def test_wrong_keys_without_a_word_of_mimecasts(content: bytes) -> None:
    assert failure(content, status=401).message == WRONG


@pytest.mark.parametrize(
    ("status", "advice"), [(401, WRONG), (403, LACKING), (418, EXPIRED)], ids=["wrong", "lacking", "expired"]
)
def test_what_api_1_gateway_says_in_the_shape_of_a_function_comes_with_what_to_do(status: int, advice: str) -> None:
    document = function_failure({"code": "err_x", "message": "0018 Binding Expired"}, status=status)
    assert failure(document, status=status).message == f"{advice} Mimecast says: 0018 Binding Expired"


def test_an_expired_access_key_is_known_by_its_code_too() -> None:
    error = failure(function_failure({"code": "err_xdk_binding_expired", "message": "0018 Binding Expired"}))
    assert type(error) is AccessKeyExpiredError


def test_the_missing_permission_is_named() -> None:
    assert failure(b"", status=403).message == LACKING
    assert failure({}, status=403).message == LACKING


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_a_function_outside_of_the_applications_products_is_a_missing_permission(status: int) -> None:
    error = failure(gateway_failure("app_forbidden", "Not in any product"), status=status)
    assert type(error) is PermissionDeniedError
    assert error.message == f"{LACKING} Mimecast says: Not in any product"


def test_a_function_that_refuses_an_address_is_a_missing_permission_in_its_own_words() -> None:
    detail = {"code": "err_xdk_operation_forbidden_for_address", "message": "Not for this address"}
    error = failure(function_failure(detail))
    assert type(error) is PermissionDeniedError
    assert error.message == "Not for this address"


# --- documents that are no envelopes ----------------------------------------------------------------------------------


def test_a_document_that_is_no_envelope_can_be_read_as_what_it_is() -> None:
    assert read_document(200, {}, b'{"access_token": "x"}', GET_ACCOUNT) == {"access_token": "x"}


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"error": "no"}', b'{"fail": [{}]}'])
def test_a_document_that_says_of_a_failure_is_one(content: bytes) -> None:
    with pytest.raises(MimecastError):
        read_document(200, {}, content, GET_ACCOUNT)


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (b'{"meta": {}, "data": []}', True),
        (b'\r\n {"data": []}', True),
        (b'{"fail": []}', True),
        (b'{"errors": []}', True),
        (b'{"name": "a file that is JSON itself"}', False),
        (b'[{"data": []}]', False),
        (b'{"data": ', False),
        (b"%PDF-1.7", False),
        (b"", False),
    ],
)
def test_an_envelope_is_told_from_a_file_by_its_keys(content: bytes, is_one: bool) -> None:
    assert is_envelope(content) is is_one
