namespace KawaOrleans.Client;

/// <summary>Brings batches to the log's write segment.</summary>
internal sealed class Appender(string log, ChainCache chains, SegmentCalls segments, Retries retries)
{
    /// <summary>Each one means that the log rolled and others filled the new segment first.</summary>
    private const int MostSegmentsTried = 64;

    public async Task<Appended> AppendAsync(EventBatch batch, CancellationToken cancellation)
    {
        var block = Block.Of(batch);
        var retry = retries.Begin();
        Guid? ended = null;
        for (var tried = 0; tried < MostSegmentsTried;)
        {
            try
            {
                var chain = await chains.GetOpenAsync(ended, batch.Bytes.Length, cancellation).ConfigureAwait(false);
                RefuseTooLarge(batch, chain);
                var segment = chain.WriteSegment!;
                ended = segment.Id;
                var result = await segments.AppendAsync(log, segment, block, cancellation).ConfigureAwait(false);
                switch (result)
                {
                    case Appended appended:
                        return appended;
                    case SegmentEnded:
                        tried++;
                        continue;
                    case NotPrimary other:
                        if (!await retry.AgainAsync(cancellation).ConfigureAwait(false))
                        {
                            throw new LogNotWritableException(log, other.Reason);
                        }

                        continue;
                    default:
                        throw new UnknownOutcomeException(log, $"an answer of a newer version came: {result.GetType().Name}");
                }
            }
            catch (Exception e) when (Failure.HadNoEffect(e) || e is DirectoryUnavailableException)
            {
                if (!await retry.AgainAsync(cancellation).ConfigureAwait(false))
                {
                    throw;
                }
            }
        }

        throw new LogNotWritableException(log, $"{MostSegmentsTried} segments in a row were full before this batch came; append less at the same time, or use larger segments");
    }

    private void RefuseTooLarge(EventBatch batch, Chain chain)
    {
        var most = Limits.MaxEventBytesFor(chain.Options.SegmentBytes);
        if (batch.LargestEventBytes > most)
        {
            throw new RequestRefusedException(
                $"Log '{log}' takes events of at most {most} bytes as stored, half its segment size; one of these takes {batch.LargestEventBytes}.");
        }
    }
}
