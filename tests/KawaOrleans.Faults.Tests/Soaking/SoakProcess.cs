using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using KawaOrleans.Faults.Tests.Silos;

namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>A client in a process of its own with a caller for each log, to be killed. It tells every acknowledgement it has got.</summary>
internal sealed class SoakProcess : IDisposable
{
    public const string Role = "soak-client";

    private const int ToldBytes = 16;

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly Task _reading;
    private readonly CallerRecord[] _records;
    private long _told;

    /// <param name="gateways">Where the cluster takes clients.</param>
    /// <param name="logs">The logs to append to.</param>
    /// <param name="seed">Of the whole soak.</param>
    /// <param name="firstCaller">The number of the first log's caller; the others follow.</param>
    public SoakProcess(IEnumerable<IPEndPoint> gateways, IReadOnlyList<string> logs, int seed, int firstCaller)
    {
        _records = [.. logs.Select((_, i) => new CallerRecord(SoakBatch.CallerName(firstCaller + i), mayHaveMore: true))];
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            typeof(SoakProcess).Assembly.Location, Role, string.Join(',', gateways), string.Join(',', logs), Text(seed), Text(firstCaller),
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>What its callers were told; complete once it was killed.</summary>
    public IReadOnlyList<CallerRecord> Records => _records;

    /// <summary>Acknowledgements told so far.</summary>
    public long Told => Interlocked.Read(ref _told);

    public bool HasExited => _process.HasExited;

    /// <summary>Fails when it ended by itself.</summary>
    public async Task CheckAsync()
    {
        if (_process.HasExited)
        {
            Assert.Fail($"the client ended by itself: {await _errors}");
        }
    }

    /// <summary>kill -9; returns when all it told has been read.</summary>
    public async Task KillAsync()
    {
        await CheckAsync();
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    /// <summary>The process itself: appends until it is killed, or nobody listens any more.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var (gateways, logs) = (args[0].Split(',').Select(IPEndPoint.Parse), args[1].Split(','));
        var (seed, firstCaller) = (Number(args[2]), Number(args[3]));
        using var client = await ClientHost.StartAsync([.. gateways]);
        var output = Console.OpenStandardOutput();
        var gate = new Lock();
        await Task.WhenAll(logs.Select((log, i) => new SoakCaller(ClientHost.StoreOf(client).Log(log), seed, SoakBatch.CallerName(firstCaller + i)).RunAsync(
            (sequence, first) =>
            {
                var told = new byte[ToldBytes];
                BinaryPrimitives.WriteInt32LittleEndian(told, i);
                BinaryPrimitives.WriteInt32LittleEndian(told.AsSpan(4), sequence);
                BinaryPrimitives.WriteInt64LittleEndian(told.AsSpan(8), first);
                lock (gate)
                {
                    output.Write(told);
                }
            },
            CancellationToken.None)));
        return 0;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task ReadAsync()
    {
        var told = new byte[ToldBytes];
        while (await _process.StandardOutput.BaseStream.ReadAtLeastAsync(told, told.Length, throwOnEndOfStream: false) == told.Length)
        {
            _records[BinaryPrimitives.ReadInt32LittleEndian(told)].Add(
                BinaryPrimitives.ReadInt32LittleEndian(told.AsSpan(4)), BinaryPrimitives.ReadInt64LittleEndian(told.AsSpan(8)));
            Interlocked.Increment(ref _told);
        }
    }
}
