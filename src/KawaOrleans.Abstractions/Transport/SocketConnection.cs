using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace KawaOrleans.Transport;

/// <summary>A TCP connection behind pipes with large segments: a block of a mebibyte passes in some pieces instead of hundreds.</summary>
/// <remarks>
/// What is received has no bound, because a message is taken out of the pipe only when all of it is there; its size is bounded by the
/// framework. What is to be sent has one: beyond it messages wait as objects, and a block that is still a view of a file waits as that.
/// </remarks>
internal sealed class SocketConnection : DefaultConnectionContext
{
    public const int SegmentBytes = 64 * 1024;

    private const int MostUnsentBytes = 2 * 1024 * 1024;

    private readonly Socket _socket;
    private readonly PipeWriter _received;
    private readonly PipeReader _toSend;
    private readonly CancellationTokenSource _closed = new();
    private Task _running = Task.CompletedTask;

    private SocketConnection(Socket socket, Pipe received, Pipe toSend)
        : base(Guid.NewGuid().ToString("N"), new Pair(received.Reader, toSend.Writer), new Pair(toSend.Reader, received.Writer))
    {
        _socket = socket;
        (_received, _toSend) = (received.Writer, toSend.Reader);
        (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, socket.RemoteEndPoint);
        ConnectionClosed = _closed.Token;
    }

    /// <summary>Takes over a connected socket and begins to receive and send.</summary>
    public static SocketConnection Start(Socket socket)
    {
        var received = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 0, resumeWriterThreshold: 0, minimumSegmentSize: SegmentBytes, useSynchronizationContext: false));
        var toSend = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: MostUnsentBytes, resumeWriterThreshold: MostUnsentBytes / 2, minimumSegmentSize: SegmentBytes,
            useSynchronizationContext: false));
        var connection = new SocketConnection(socket, received, toSend);
        connection._running = Task.WhenAll(connection.ReceiveAsync(), connection.SendAsync());
        return connection;
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        Close();
        _toSend.CancelPendingRead();
    }

    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync().ConfigureAwait(false);
        await Transport.Output.CompleteAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _closed.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ReceiveAsync()
    {
        Exception? failure = null;
        try
        {
            var mayBeEmpty = true;
            while (true)
            {
                if (mayBeEmpty)
                {
                    // Waits without a buffer: a silent connection holds none.
                    await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);
                }

                var memory = _received.GetMemory(SegmentBytes / 4);
                var count = await _socket.ReceiveAsync(memory, SocketFlags.None).ConfigureAwait(false);
                if (count == 0)
                {
                    break;
                }

                mayBeEmpty = count < memory.Length;
                _received.Advance(count);
                var flushed = await _received.FlushAsync().ConfigureAwait(false);
                if (flushed.IsCompleted || flushed.IsCanceled)
                {
                    break;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            failure = new ConnectionResetException(e.Message, e);
        }

        await _received.CompleteAsync(failure).ConfigureAwait(false);
        await Task.Run(_closed.Cancel).ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                var read = await _toSend.ReadAsync().ConfigureAwait(false);
                if (read.IsCanceled)
                {
                    break;
                }

                foreach (var memory in read.Buffer)
                {
                    for (var rest = memory; !rest.IsEmpty;)
                    {
                        rest = rest[await _socket.SendAsync(rest, SocketFlags.None).ConfigureAwait(false)..];
                    }
                }

                _toSend.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Whoever receives is told; whoever writes sees that nobody reads.
        }

        Close();
        await _toSend.CompleteAsync().ConfigureAwait(false);
        _received.CancelPendingFlush();
    }

    private void Close()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other side, or an abort here, was first.
        }

        _socket.Dispose();
    }

    private sealed record Pair(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
