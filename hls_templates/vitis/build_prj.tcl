# The steps that build_opt.tcl asks for, as hls4ml's projects have them:
#   vitis-run --mode hls --tcl build_prj.tcl        (2024.1 and later)
#   vitis_hls -f build_prj.tcl "csim=1 synth=1"     (earlier)
set tcldir [file dirname [info script]]
source [file join $tcldir project.tcl]
source [file join $tcldir build_opt.tcl]

foreach arg $::argv {
    foreach name [lsort [array names opt]] {
        regexp "$name=+(\\w+)" $arg unused opt($name)
    }
}

proc report_time {step start} {
    set seconds [expr {([clock clicks -milliseconds] - $start) / 1000}]
    puts "***** ${step} COMPLETED IN [expr {$seconds / 3600}]h[expr {$seconds / 60 % 60}]m[expr {$seconds % 60}]s *****"
}

# 1 where both files exist and are equal
proc compare_files {file_1 file_2} {
    if {![file exists $file_1] || ![file exists $file_2]} {
        return 0
    }
    set handle_1 [open $file_1 r]
    set handle_2 [open $file_2 r]
    set equal [string equal [read $handle_1] [read $handle_2]]
    close $handle_1
    close $handle_2
    return $equal
}

# A step that fails ends the run with an exit code.
proc step {title command} {
    puts "***** ${title} *****"
    set start [clock clicks -milliseconds]
    if {[catch {uplevel #0 $command} message]} {
        puts "ERROR: ${title} failed: $message"
        exit 1
    }
    report_time $title $start
}

set CSIM_RESULTS "./tb_data/csim_results.log"
set RTL_COSIM_RESULTS "./tb_data/rtl_cosim_results.log"
set flags "-std=c++14"

if {$opt(reset)} {
    open_project -reset ${project_name}_prj
} else {
    open_project ${project_name}_prj
}
set_top ${project_name}
add_files firmware/${project_name}.cpp -cflags $flags
add_files -tb ${project_name}_test.cpp -cflags $flags
add_files -tb ${project_name}_frame.h
add_files -tb firmware/weights
add_files -tb tb_data
if {$opt(reset)} {
    open_solution -reset "solution1"
} else {
    open_solution "solution1"
}
config_compile -name_max_length 80
set_part $part
create_clock -period $clock_period -name default
set_clock_uncertainty $clock_uncertainty default

if {$opt(csim)} {
    step "C SIMULATION" {csim_design}
}

if {$opt(synth)} {
    step "C/RTL SYNTHESIS" {csynth_design}
}

if {$opt(cosim)} {
    # the testbench writes its results beside those of C simulation
    add_files -tb ${project_name}_test.cpp -cflags "$flags -DRTL_SIM"
    step "C/RTL SIMULATION" {cosim_design}
}

if {$opt(cosim) && $opt(validation)} {
    puts "***** C/RTL VALIDATION *****"
    if {[compare_files $CSIM_RESULTS $RTL_COSIM_RESULTS]} {
        puts "INFO: Test PASSED"
    } else {
        puts "ERROR: Test failed"
        puts "ERROR: - csim log:      $CSIM_RESULTS"
        puts "ERROR: - RTL-cosim log: $RTL_COSIM_RESULTS"
        exit 1
    }
}

if {$opt(export)} {
    step "EXPORT IP" {export_design -format ip_catalog -version $version}
}

if {$opt(vsynth)} {
    if {![file exists ${project_name}_prj/solution1/syn/verilog]} {
        puts "ERROR: Cannot find generated Verilog files. Did you run C synthesis?"
        exit 1
    }
    step "VIVADO SYNTHESIS" {exec vivado -mode batch -source vivado_synth.tcl >@ stdout}
}

exit
