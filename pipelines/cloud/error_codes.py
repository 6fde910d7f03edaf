"""The codes by which AWS's services say the same thing, each in its own way.

From botocore's service models and retry rules, and S3's "Error responses".
"""

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
CLOCK = frozenset({"RequestInTheFuture", "RequestTimeTooSkewed"})
"""The request was signed at another time than the service's."""
BAD_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "UnrecognizedClient",
    }
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "Forbidden",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
        "403",
    }
)
CONFLICTS = frozenset(
    {
        "ConditionalRequestConflict",
        "Conflict",
        "ConflictException",
        "OperationAborted",
        "PreconditionFailed",
        "ResourceInUse",
        "ResourceInUseException",
        "409",
        "412",
    }
)
MISSING = frozenset(
    {
        "404",
        "NoSuchKey",
        "NotFound",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)
LIMITS = frozenset(
    {
        "ResourceLimitExceeded",
        "ServiceQuotaExceededException",
        "TooManyBuckets",
        "TooManyTagsException",
    }
)
OTHER_REGION = frozenset(
    {
        "301",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "PermanentRedirect",
        "TemporaryRedirect",
    }
)
INVALID = frozenset(
    {
        "InvalidArgument",
        "InvalidParameterCombination",
        "InvalidParameterException",
        "InvalidParameterValue",
        "InvalidRequest",
        "ValidationError",
        "ValidationException",
    }
)
UNKNOWN_CALL = frozenset(
    {
        "InvalidAction",
        "NotImplemented",
        "UnknownOperation",
        "UnknownOperationException",
        "UnsupportedOperation",
        "UnsupportedOperationException",
    }
)
BAD_DIGESTS = frozenset({"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"})
TOO_LARGE = frozenset(
    {"EntityTooLarge", "MaxMessageLengthExceeded", "RequestEntityTooLarge", "413"}
)
TOO_SLOW = frozenset({"IncompleteBody", "RequestTimeout", "RequestTimeoutException"})
CLOSED = frozenset(
    {
        "AccountProblem",
        "InvalidSecurity",
        "NotSignedUp",
        "OptInRequired",
        "RegionDisabledException",
        "SubscriptionRequiredException",
    }
)
"""The account, or its region, is not open."""
