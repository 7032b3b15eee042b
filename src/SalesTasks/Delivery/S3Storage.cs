using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using SalesTasks.Airflow;

namespace SalesTasks.Delivery;

/// <summary>
/// Objects of S3 or compatible storage (MinIO, Ceph, R2), by an Airflow connection of type <c>aws</c>: login and password are the keys, the
/// extras <c>region_name</c>, <c>endpoint_url</c> and <c>aws_session_token</c> apply; without keys those of the environment or the instance.
/// </summary>
internal sealed class S3Storage : IDisposable
{
    public const string Scheme = "s3://";
    private const string DefaultRegion = "us-east-1";

    private readonly AmazonS3Client _client;

    public S3Storage(AirflowConnection connection)
    {
        if (connection.Type is not ("aws" or "s3"))
        {
            throw connection.Source.Fault($"its type is '{connection.Type}'; allowed: aws");
        }

        var extra = connection.ExtraFields;
        var endpoint = extra.GetValueOrDefault("endpoint_url");
        var region = extra.GetValueOrDefault("region_name") ?? DefaultRegion;
        var settings = new AmazonS3Config
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = 4,
            // Checksums beyond the signature are unknown to most compatible storages.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (endpoint is null)
        {
            settings.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        else
        {
            if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            {
                throw connection.Source.Fault("its extra endpoint_url is not an http or https address");
            }

            settings.ServiceURL = endpoint;
            settings.AuthenticationRegion = region;
            // Other storages seldom have a name in DNS for every bucket.
            settings.ForcePathStyle = true;
        }

        _client = Credentials(connection, extra) is { } credentials
            ? new AmazonS3Client(credentials, settings)
            : new AmazonS3Client(settings);
    }

    /// <summary>Opens the storage of <c>SALES_S3_CONN_ID</c>.</summary>
    /// <exception cref="JobException">64: there is no such setting, or the connection cannot be used.</exception>
    public static S3Storage Open(ConnectionIds ids, ConnectionResolver connections) => new(connections.Resolve(
        ids.S3 ?? throw JobException.Usage($"{ConnectionIds.S3Variable} is not set; an address of s3:// needs the id of an aws connection there")));

    /// <summary>The bucket and the key or prefix of <c>s3://bucket/prefix</c>.</summary>
    /// <exception cref="JobException">64: no bucket.</exception>
    public static (string Bucket, string Key) Split(string address)
    {
        var parts = address[Scheme.Length..].Split('/', 2);
        return parts[0].Length > 0
            ? (parts[0], parts.Length > 1 ? parts[1] : "")
            : throw JobException.Usage($"'{address}' names no bucket; allowed: s3://bucket/prefix");
    }

    /// <summary>
    /// The keys that start with the address's key and lie no folder deeper; the one that is exactly it alone, where there is one. In the order
    /// of the keys.
    /// </summary>
    /// <exception cref="JobException">69: no such bucket, or no right to list it. 75: the storage does not answer.</exception>
    public async Task<IReadOnlyList<string>> ListAsync(string address, CancellationToken cancellationToken)
    {
        var (bucket, prefix) = Split(address);
        var keys = new List<string>();
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = prefix, Delimiter = "/" };
        ListObjectsV2Response response;
        do
        {
            response = await CallAsync($"{Scheme}{bucket}/{prefix}", () => _client.ListObjectsV2Async(request, cancellationToken));
            foreach (var item in response.S3Objects ?? [])
            {
                if (string.Equals(item.Key, prefix, StringComparison.Ordinal) && !prefix.EndsWith('/'))
                {
                    return [item.Key];
                }

                keys.Add(item.Key);
            }

            request.ContinuationToken = response.NextContinuationToken;
        }
        while (response.IsTruncated);

        return [.. keys.Order(StringComparer.Ordinal)];
    }

    /// <summary>Reads an object.</summary>
    public async Task<Stream> OpenReadAsync(string address, CancellationToken cancellationToken)
    {
        var (bucket, key) = Split(address);
        var response = await CallAsync(address, () => _client.GetObjectAsync(new GetObjectRequest { BucketName = bucket, Key = key }, cancellationToken));
        return response.ResponseStream;
    }

    /// <summary>Puts a local file there.</summary>
    public Task UploadAsync(string path, string address, CancellationToken cancellationToken) =>
        PutAsync(new PutObjectRequest { FilePath = path, ContentType = "text/csv; charset=utf-8" }, address, cancellationToken);

    /// <summary>
    /// Puts bytes there; the same bytes again leave the same object. It is as private as its bucket: no access list is sent, which buckets
    /// without such lists would refuse.
    /// </summary>
    public async Task UploadAsync(byte[] content, string contentType, string address, CancellationToken cancellationToken)
    {
        using var stream = new MemoryStream(content, writable: false);
        await PutAsync(new PutObjectRequest { InputStream = stream, AutoCloseStream = false, ContentType = contentType }, address, cancellationToken);
    }

    private Task<PutObjectResponse> PutAsync(PutObjectRequest request, string address, CancellationToken cancellationToken)
    {
        (request.BucketName, request.Key) = Split(address);
        // Signed as a whole, which every storage understands.
        request.UseChunkEncoding = false;
        return CallAsync(address, () => _client.PutObjectAsync(request, cancellationToken));
    }

    public void Dispose() => _client.Dispose();

    private static AWSCredentials? Credentials(AirflowConnection connection, IReadOnlyDictionary<string, string> extra)
    {
        var key = connection.Login ?? extra.GetValueOrDefault("aws_access_key_id");
        var secret = connection.Password ?? extra.GetValueOrDefault("aws_secret_access_key");
        if (string.IsNullOrEmpty(key) && string.IsNullOrEmpty(secret))
        {
            return null;
        }

        if (string.IsNullOrEmpty(key) || string.IsNullOrEmpty(secret))
        {
            throw connection.Source.Fault("it has one of login (access key) and password (secret key) without the other");
        }

        return extra.GetValueOrDefault("aws_session_token") is { } token
            ? new SessionAWSCredentials(key, secret, token)
            : new BasicAWSCredentials(key, secret);
    }

    private static async Task<T> CallAsync<T>(string address, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonServiceException exception) when (exception.InnerException is HttpRequestException)
        {
            throw JobException.Temporary($"'{address}': the storage cannot be reached ({exception.ErrorCode})", exception);
        }
        catch (AmazonServiceException exception)
        {
            var temporary = exception.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
                || (int)exception.StatusCode >= 500;
            throw new JobException(
                temporary ? ExitCode.TemporaryFailure : ExitCode.Refused,
                $"'{address}': the storage answers {(int)exception.StatusCode} {exception.ErrorCode}", exception);
        }
        catch (AmazonClientException exception)
        {
            // Above all: no credentials in the connection, the environment or the instance.
            throw JobException.Refused($"'{address}': {exception.Message}", exception);
        }
        catch (HttpRequestException exception)
        {
            throw JobException.Temporary($"'{address}': the storage cannot be reached ({exception.HttpRequestError})", exception);
        }
    }
}
