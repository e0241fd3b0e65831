using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace KawaOrleans.Client;

/// <summary>Runs a source ahead of its reader, by at most <c>capacity</c> items besides the one being made.
/// An error comes behind the items made before it. Disposing ends the source and waits until it has ended.</summary>
internal sealed class ReadAhead<T> : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended;
    private readonly Channel<T> _items;
    private readonly Task _running;

    public ReadAhead(Func<CancellationToken, IAsyncEnumerable<T>> source, int capacity, CancellationToken cancellation)
    {
        _ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _items = Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { SingleReader = true, SingleWriter = true });
        _running = Task.Run(() => RunAsync(source), CancellationToken.None);
    }

    public async IAsyncEnumerable<T> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        while (await _items.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
        {
            while (_items.Reader.TryRead(out var item))
            {
                yield return item;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
    }

    private async Task RunAsync(Func<CancellationToken, IAsyncEnumerable<T>> source)
    {
        var pump = PumpAsync(source(_ended.Token));
        await pump.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _items.Writer.Complete(pump.IsCanceled ? new OperationCanceledException(_ended.Token) : pump.Exception?.InnerException);
    }

    private async Task PumpAsync(IAsyncEnumerable<T> source)
    {
        await foreach (var item in source.ConfigureAwait(false))
        {
            await _items.Writer.WriteAsync(item, _ended.Token).ConfigureAwait(false);
        }
    }
}
