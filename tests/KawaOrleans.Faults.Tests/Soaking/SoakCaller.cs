using KawaOrleans.Faults.Tests.Importing;

namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>Appends batch after batch, each when the one before has its outcome.</summary>
internal sealed class SoakCaller(ILog log, int seed, string name)
{
    private long _acknowledged;

    public CallerRecord Record { get; } = new(name, mayHaveMore: false);

    public ILog Log => log;

    /// <summary>Batches acknowledged so far.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <param name="stop">No batch is begun after this.</param>
    /// <param name="told">Is given each acknowledged batch's number and first position.</param>
    public async Task RunAsync(Action<int, long>? told, CancellationToken stop)
    {
        for (var sequence = 0; !stop.IsCancellationRequested; sequence++)
        {
            var first = await AppendAsync(EventBatch.Encode(SoakBatch.Events(seed, name, sequence)));
            Record.Add(sequence, first);
            if (first is { } position)
            {
                told?.Invoke(sequence, position);
                Interlocked.Increment(ref _acknowledged);
            }
        }
    }

    private async Task<long?> AppendAsync(EventBatch batch)
    {
        try
        {
            return (await Patience.RunAsync(() => log.AppendAsync(batch))).First;
        }
        catch (UnknownOutcomeException)
        {
            return null;
        }
    }
}
