using System.Buffers;
using System.IO.Compression;

namespace KawaOrleans.ClientSample.Ndjson;

/// <summary>Writes the events of a log as lines, in position order.</summary>
internal static class Export
{
    /// <summary>Writes to a stream and answers with the number of events.</summary>
    public static async Task<long> RunAsync(ILog log, Stream output, CancellationToken cancellation)
    {
        var events = 0L;
        var lines = new ArrayBufferWriter<byte>(64 * 1024);
        await foreach (var e in log.ReadAsync(cancellation: cancellation))
        {
            if (e.Type.StartsWith('$'))
            {
                continue; // what the store was told of its streams: no user may append it
            }

            EventLine.Write(e, lines);
            lines.Write("\n"u8);
            events++;
            if (lines.WrittenCount > 48 * 1024)
            {
                await output.WriteAsync(lines.WrittenMemory, cancellation);
                lines.ResetWrittenCount();
            }
        }

        await output.WriteAsync(lines.WrittenMemory, cancellation);
        await output.FlushAsync(cancellation);
        return events;
    }

    /// <summary>Writes to a file, gzipped if its name ends in <c>.gz</c>. The file appears under its name only when it is complete.</summary>
    public static async Task<long> RunAsync(ILog log, string path, CancellationToken cancellation)
    {
        var partial = path + ".partial";
        try
        {
            long events;
            await using (var file = File.Create(partial))
            {
                if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
                {
                    await using var gzip = new GZipStream(file, CompressionLevel.Optimal);
                    events = await RunAsync(log, gzip, cancellation);
                }
                else
                {
                    events = await RunAsync(log, file, cancellation);
                }
            }

            File.Move(partial, path, overwrite: true);
            return events;
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
