using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Buffers;

namespace KawaOrleans.ClientSample.Ndjson;

/// <summary>A file of events, one JSON object a line, gzipped or not.</summary>
/// <param name="Path">The file.</param>
/// <param name="Sha256">The hash of its uncompressed content.</param>
/// <param name="Events">How many events it holds.</param>
internal sealed record EventFile(string Path, byte[] Sha256, long Events)
{
    private const int LongestLineBytes = 16 * 1024 * 1024;

    /// <summary>Reads the whole file once and checks every line, so that an import starts only if it can end.</summary>
    /// <param name="path">The file; gzipped if it begins as gzip does.</param>
    /// <param name="maxEventBytes">The largest event, as stored, that the log will take.</param>
    /// <param name="cancellation">Ends the check.</param>
    /// <exception cref="BadLineException">A line is no event that the log takes.</exception>
    public static async Task<EventFile> CheckAsync(string path, int maxEventBytes, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var events = 0L;
        await foreach (var (number, line) in LinesAsync(path, hash, cancellation))
        {
            var e = Parse(path, number, line, Guid.Empty);
            var stored = Encode(path, number, e).LargestEventBytes;
            if (stored > maxEventBytes)
            {
                throw new BadLineException(path, number, $"the event takes {stored} bytes as stored, the log takes {maxEventBytes} at most");
            }

            events++;
        }

        return new EventFile(path, hash.GetHashAndReset(), events);
    }

    /// <summary>The events, in order. An event without an id gets one that depends on this content and the line's number alone, so
    /// that the same file always makes the same ids.</summary>
    /// <exception cref="BadLineException">The file was changed since it was checked.</exception>
    public async IAsyncEnumerable<EventData> ReadAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var (number, line) in LinesAsync(Path, null, cancellation))
        {
            yield return Parse(Path, number, line, IdOfLine(number));
        }
    }

    private static EventData Parse(string path, long number, ReadOnlyMemory<byte> line, Guid id)
    {
        try
        {
            return EventLine.Parse(line, id);
        }
        catch (FormatException bad)
        {
            throw new BadLineException(path, number, bad.Message);
        }
    }

    private static EventBatch Encode(string path, long number, EventData e)
    {
        try
        {
            return EventBatch.Of(e);
        }
        catch (BatchRefusedException refused)
        {
            throw new BadLineException(path, number, refused.Message.Replace("Event 0: ", "", StringComparison.Ordinal).TrimEnd('.'));
        }
    }

    /// <summary>A version 8 UUID (RFC 9562) over content hash and line number.</summary>
    private Guid IdOfLine(long number)
    {
        Span<byte> seed = stackalloc byte[SHA256.HashSizeInBytes + sizeof(long)];
        Sha256.CopyTo(seed);
        BinaryPrimitives.WriteInt64BigEndian(seed[SHA256.HashSizeInBytes..], number);
        Span<byte> id = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(seed, id);
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new Guid(id[..16], bigEndian: true);
    }

    /// <summary>The lines with their numbers from 1, each without its end. The last one may lack an end.</summary>
    private static async IAsyncEnumerable<(long Number, ReadOnlyMemory<byte> Line)> LinesAsync(
        string path, IncrementalHash? hash, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var content = await OpenAsync(path, cancellation);
        var pipe = PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: 1024 * 1024));
        for (var number = 1L; ; number++)
        {
            var (line, end) = await NextLineAsync(pipe, path, number, cancellation);
            if (line is null)
            {
                yield break;
            }

            hash?.AppendData(line);
            hash?.AppendData(end);
            yield return (number, line.AsMemory(0, line is [.., (byte)'\r'] ? line.Length - 1 : line.Length));
        }
    }

    private static async ValueTask<(byte[]? Line, byte[] End)> NextLineAsync(PipeReader pipe, string path, long number, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await pipe.ReadAsync(cancellation);
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end).ToArray();
                pipe.AdvanceTo(buffer.GetPosition(1, end));
                return (line, "\n"u8.ToArray());
            }

            if (read.IsCompleted)
            {
                var last = buffer.IsEmpty ? null : buffer.ToArray();
                pipe.AdvanceTo(buffer.End);
                return (last, []);
            }

            if (buffer.Length > LongestLineBytes)
            {
                throw new BadLineException(path, number, $"the line is longer than {LongestLineBytes} bytes");
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static async Task<Stream> OpenAsync(string path, CancellationToken cancellation)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var magic = new byte[2];
        var isGzip = await file.ReadAtLeastAsync(magic, 2, throwOnEndOfStream: false, cancellation) == 2 && magic is [0x1F, 0x8B];
        file.Position = 0;
        return isGzip ? new GZipStream(file, CompressionMode.Decompress) : file;
    }
}
